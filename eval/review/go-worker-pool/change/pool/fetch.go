package pool

import (
	"io"
	"net/http"
)

func fetch(url string) (string, error) {
	response, _ := http.Get(url)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}
