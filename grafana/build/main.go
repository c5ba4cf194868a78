// Decodes dashboards with the types that Grafana publishes, and refuses what they do not know.
//
//	grafana-schema DASHBOARD.json …
//
// The types' strict decoding is not strict everywhere, so what was decoded is also encoded again: every field of the
// file has to come back with its value.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// The version of Grafana's types; go.mod has the same.
const version = "0.0.22"

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println("grafana-schema", version)
		return
	}
	plugins.RegisterDefaultPlugins()
	failed := false
	for _, path := range os.Args[1:] {
		for _, problem := range check(path) {
			failed = true
			fmt.Printf("%s: %s\n", path, problem)
		}
	}
	if failed {
		os.Exit(1)
	}
}

func check(path string) []string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return []string{err.Error()}
	}
	var refused dashboard.Dashboard
	problems := list("", refused.UnmarshalJSONStrict(raw))
	// What the strict decoding does not refuse, it may still forget: the lenient one keeps all that it knows.
	var known dashboard.Dashboard
	if err := json.Unmarshal(raw, &known); err != nil {
		return append(problems, err.Error())
	}
	problems = append(problems, list("", known.Validate())...)
	problems = append(problems, compare(raw, known)...)
	return append(problems, checkPanels(raw)...)
}

// What the strict decoding leaves out: types of panels, and their field configuration.
func checkPanels(raw []byte) []string {
	var file struct {
		Panels []struct {
			Type        string
			FieldConfig json.RawMessage
		}
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return []string{err.Error()}
	}
	var problems []string
	for index, panel := range file.Panels {
		name := fmt.Sprintf("panels[%d]", index)
		if panel.Type == "row" {
			continue
		}
		if _, known := cog.ConfigForPanelcfgVariant(panel.Type); !known {
			problems = append(problems, fmt.Sprintf("%s: unknown type %q", name, panel.Type))
		}
		var config dashboard.FieldConfigSource
		problems = append(problems, list(name+".fieldConfig.", config.UnmarshalJSONStrict(panel.FieldConfig))...)
	}
	return problems
}

// The lines of an error. The types return an empty list of errors as an error, without a message.
func list(name string, err error) []string {
	if err == nil || err.Error() == "" {
		return nil
	}
	lines := strings.Split(err.Error(), "\n")
	for index := range lines {
		lines[index] = name + lines[index]
	}
	return lines
}

// What of the file is missing, or is different, in what was decoded.
func compare(raw []byte, decoded dashboard.Dashboard) []string {
	encoded, err := json.Marshal(decoded)
	if err != nil {
		return []string{err.Error()}
	}
	var want, got any
	if err := errors.Join(json.Unmarshal(raw, &want), json.Unmarshal(encoded, &got)); err != nil {
		return []string{err.Error()}
	}
	return missing("dashboard", want, got)
}

func missing(name string, want, got any) []string {
	var problems []string
	switch want := want.(type) {
	case map[string]any:
		got, _ := got.(map[string]any)
		for key, value := range want {
			problems = append(problems, missing(name+"."+key, value, got[key])...)
		}
	case []any:
		got, _ := got.([]any)
		if len(got) != len(want) && len(want) > 0 {
			return []string{fmt.Sprintf("%s: %d items became %d", name, len(want), len(got))}
		}
		for index, value := range want {
			problems = append(problems, missing(fmt.Sprintf("%s[%d]", name, index), value, got[index])...)
		}
	default:
		if !reflect.DeepEqual(want, got) {
			problems = append(problems, fmt.Sprintf("%s: %v became %v", name, want, got))
		}
	}
	return problems
}
