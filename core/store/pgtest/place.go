package pgtest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
)

// owner is the user that servers run as; its zero value is whoever runs this.
type owner struct {
	uid, gid uint32
	other    bool
}

// whoRuns returns whom servers run as: root may not, so it takes somebody else.
func whoRuns() (owner, error) {
	if os.Geteuid() != 0 {
		return owner{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return owner{}, err
		}
		return owner{uint32(uid), uint32(gid), true}, nil
	}
	return owner{}, errors.New("there is neither a user postgres nor a user nobody, and root may not run PostgreSQL")
}

func (o owner) credential() *syscall.Credential {
	if !o.other {
		return nil
	}
	return &syscall.Credential{Uid: o.uid, Gid: o.gid}
}

// command is a command as that user.
func (o owner) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: o.credential()}
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "LC_ALL=C", "PGCONNECT_TIMEOUT=5", "HOME=/nonexistent")
	return cmd
}

// do runs a command as that user to its end.
func (o owner) do(name string, args ...string) (string, error) {
	out, err := o.command(name, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", filepath.Base(name), err, lastLines(out))
	}
	return string(out), nil
}

// place is a temporary folder that is removed when it is closed, or when this
// process is gone.
type place struct {
	dir    string
	alive  io.Closer // the other end is held by the one that cleans up
	reaper *exec.Cmd
}

// newPlace makes a folder that belongs to the owner, below another.
func newPlace(o owner, parent string) (*place, error) {
	dir, err := os.MkdirTemp(parent, "tidings-pg-")
	if err != nil {
		return nil, err
	}
	if o.other {
		if err := os.Chown(dir, int(o.uid), int(o.gid)); err != nil {
			return nil, errors.Join(err, os.Remove(dir))
		}
	}
	p := &place{dir: dir}
	if err := p.watch(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return p, nil
}

func (p *place) data() string { return filepath.Join(p.dir, "data") }

// watch starts who removes the folder when this process is gone: a process of
// its own, which reads from us until there is nobody to read from. Servers are
// told by the kernel, and have a moment to stop.
func (p *place) watch() error {
	p.reaper = exec.Command("/bin/sh", "-c", `cat; for n in 1 2 3 4 5; do rm -rf "$0" && exit; sleep 1; done`, p.dir)
	p.reaper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.reaper.Dir = "/"
	in, err := p.reaper.StdinPipe()
	if err != nil {
		return err
	}
	p.alive = in
	return p.reaper.Start()
}

// Close removes the folder.
func (p *place) Close() error {
	err := p.alive.Close()
	return errors.Join(err, p.reaper.Wait(), os.RemoveAll(p.dir))
}

// reachable is the folder for temporary files, if other users can get there.
func reachable() string {
	tmp := os.TempDir()
	for dir := tmp; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode()&0o001 == 0 {
			return "/tmp"
		}
		if dir == filepath.Dir(dir) {
			return tmp
		}
	}
}

// Ports are below those that outgoing connections take, so that a server's is
// still free when it is started again. Each is given out once.
const firstPort, countPorts = 10000, 2000

var portsGiven atomic.Int64

func freePort() (int, error) {
	for range countPorts {
		// Processes side by side begin at different places.
		port := firstPort + int((int64(os.Getpid())*61+portsGiven.Add(1))%countPorts)
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("there is no free port from %d to %d", firstPort, firstPort+countPorts)
}
