package agent

import (
	_ "embed"
	"net/http"
)

//go:embed openapi.json
var document []byte

// OpenAPI returns the description of the interface, which GET /v1/openapi.json serves.
func OpenAPI() []byte { return append([]byte{}, document...) }

func (c *call) getOpenAPI() (answer, error) {
	return answer{status: http.StatusOK, file: document, contentType: jsonType}, nil
}

// healthView says that the process runs, and which.
type healthView struct {
	Status  string `json:"status"`
	Version string `json:"version"`
}

func (c *call) getHealth() (answer, error) {
	return ok(healthView{Status: "ok", Version: c.Version}), nil
}
