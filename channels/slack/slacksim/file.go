package slacksim

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"

	"tidings/channels/emulator"
)

// filesPath is the folder of files, which open with a token.
const filesPath = "/files-pri/"

// maxFile is the largest file that a member can share (files in Slack, read 2026-11-22).
const maxFile = 1 << 30

// fileObject is a file as a workspace keeps it.
type fileObject struct {
	id string
	emulator.File
	user string
}

// SendFile shares a file with a comment.
func (s *Sim) SendFile(_ context.Context, user string, f emulator.File, text string) (string, error) {
	if len(f.Data) > maxFile {
		return "", errTooLarge
	}
	s.mu.Lock()
	o := fileObject{s.nextID("F"), f, user}
	s.files[o.id] = o
	s.mu.Unlock()
	return s.own(user, text, f.Kind(), map[string]any{"subtype": "file_share", "files": []any{s.describeFile(o)}})
}

// describeFile is a file object (reference/objects/file-object, read 2026-11-22).
func (s *Sim) describeFile(o fileObject) map[string]any {
	place := s.filesURL + filesPath + s.opt.TeamID + "-" + o.id
	name := url.PathEscape(o.Name)
	return map[string]any{
		"id": o.id, "name": o.Name, "title": o.Name, "mimetype": o.Type, "filetype": strings.TrimPrefix(path.Ext(o.Name), "."),
		"user": o.user, "size": len(o.Data), "mode": "hosted", "is_external": false, "is_public": false,
		"url_private": place + "/" + name, "url_private_download": place + "/download/" + name,
		"permalink": workspaceURL + "files/" + o.user + "/" + o.id + "/" + name,
	}
}

// fileInfo is files.info.
func (s *Sim) fileInfo(a args) (map[string]any, *apiError) {
	o, ok := s.files[a["file"]]
	if !ok {
		return nil, &apiError{code: "file_not_found"}
	}
	return map[string]any{"file": s.describeFile(o), "comments": []any{}, "response_metadata": map[string]any{"next_cursor": ""}}, nil
}

// serveFile is files.slack.com. Who shows no token that may read files, in the
// header, is led to the workspace's sign-in page, which is on another host.
func (s *Sim) serveFile(w http.ResponseWriter, r *http.Request) bool {
	_, below, ok := strings.Cut(r.URL.Path, filesPath)
	if !ok || r.Method != http.MethodGet {
		return false
	}
	folder, _, _ := strings.Cut(below, "/")
	s.desk.Serve(w, r, emulator.Call{Method: "file", Do: func() emulator.Answer {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if problem := s.authorize(args{"bearer": token}, "files:read"); problem != nil {
			return emulator.Answer{
				Status: http.StatusFound, Header: http.Header{"Location": {workspaceURL + "?redir=" + url.QueryEscape(r.URL.Path)}},
				Code: problem.code, Problem: "a file without a token that may read it",
			}
		}
		return s.content(folder)
	}})
	return true
}

func (s *Sim) content(folder string) emulator.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.files[strings.TrimPrefix(folder, s.opt.TeamID+"-")]
	if !ok {
		return emulator.Answer{Status: http.StatusNotFound, Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}, Body: []byte("<!DOCTYPE html>Not found")}
	}
	h := http.Header{"Content-Type": {o.Type}}
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": o.Name}))
	return emulator.Answer{Header: h, Body: o.Data}
}
