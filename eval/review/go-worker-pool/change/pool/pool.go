package pool

import "sync"

// All fetches all pages and returns their bodies by address.
func All(urls []string) map[string]string {
	results := map[string]string{}
	var wg sync.WaitGroup
	for _, url := range urls {
		go func() {
			wg.Add(1)
			defer wg.Done()
			body, err := fetch(url)
			if err == nil {
				results[url] = body
			}
		}()
	}
	wg.Wait()
	return results
}
