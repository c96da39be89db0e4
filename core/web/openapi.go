package web

import (
	"bytes"
	_ "embed"
	"net/http"

	"github.com/gin-gonic/gin"
)

// document describes everything that is served (OpenAPI 3.1).
//
//go:embed openapi.json
var document []byte

// OpenAPI returns the description of everything that is served (OpenAPI 3.1).
func OpenAPI() []byte { return bytes.Clone(document) }

// getOpenAPI shows the document.
func getOpenAPI(c *gin.Context) { c.Data(http.StatusOK, "application/json", document) }
