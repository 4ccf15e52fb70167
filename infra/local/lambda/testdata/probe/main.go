// Command probe is the function that lambda's tests run. An event is an order: "hang ADDRESS" calls that address and then
// never answers, "exit" ends the process, "fail" is an error, anything else is answered with the process's number and its
// PROBE.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"kefu/shared/faas"
)

func main() {
	faas.Main(func(context.Context) (faas.Handler, error) { return obey, nil })
}

func obey(_ context.Context, payload []byte) ([]byte, error) {
	var order string
	if err := json.Unmarshal(payload, &order); err != nil {
		return nil, err
	}
	word, address, _ := strings.Cut(order, " ")
	switch word {
	case "hang":
		if _, err := http.Get(address); err != nil { //nolint:bodyclose,gosec,noctx // it never ends
			return nil, err
		}
		select {} // whatever the deadline says
	case "exit":
		os.Exit(3)
	case "fail":
		return nil, errors.New("told to")
	}
	return json.Marshal(fmt.Sprint(os.Getpid(), " ", os.Getenv("PROBE")))
}
