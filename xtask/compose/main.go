// Reads a compose file as Docker Compose reads it, with its own library, and prints what it understood as JSON.
//
//	compose-model docker-compose.yml
//
// Variables come from the environment, and from a file .env beside the working folder.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

// The version of the library; go.mod has the same.
const version = "2.16.2"

func main() {
	if len(os.Args) != 2 {
		fail("usage: compose-model FILE")
	}
	if os.Args[1] == "--version" {
		fmt.Println("compose-model", version)
		return
	}
	options, err := cli.NewProjectOptions(os.Args[1:], cli.WithOsEnv, cli.WithDotEnv)
	if err != nil {
		fail(err)
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		fail(err)
	}
	text, err := project.MarshalJSON()
	if err != nil {
		fail(err)
	}
	os.Stdout.Write(text)
}

func fail(reason any) {
	fmt.Fprintln(os.Stderr, reason)
	os.Exit(1)
}
