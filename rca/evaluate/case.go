package evaluate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest"
	"github.com/tracewhy/tracewhy/timeline"
)

// Case is a labelled incident, or a labelled quiet time, in memory.
type Case struct {
	Name string
	// Baseline and Incident select from one Set.
	Set                *tracewhy.Set
	Baseline, Incident tracewhy.Cohort
	Label              Label
	Changes            []timeline.Change // of its changes.json, if there is one
	Outcomes           string            // the name of its outcomes.csv, or ""
}

// Loader reads or generates one case when it is its turn: an evaluation holds as many cases in memory
// as it has workers, however many there are. It must give the same case each time.
type Loader func(context.Context) (*Case, error)

// Folder is a case on disk: a folder with a label.json, the traces of the baseline in files whose names
// begin with "baseline" or "normal", those of the incident in files whose names begin with "incident",
// and optionally a changes.json and an outcomes.csv.
type Folder struct {
	Dir      string
	Name     string // the label's name of the case, or else the folder's
	Baseline []string
	Incident []string
	Changes  string // "" if there is none
	Outcomes string // "" if there is none
	Label    Label
}

// Find returns the cases in the given folders, each of which is a case or holds cases at any depth.
// Those of one folder are in lexical order of their paths. It is an error if a folder holds no case, or
// if a label cannot be read.
func Find(dirs ...string) ([]Folder, error) {
	var all []Folder
	for _, dir := range dirs {
		if _, err := os.Stat(dir); err != nil { // by its name
			return nil, err
		}
		before := len(all)
		err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			f, err := openFolder(filepath.Join(dir, filepath.FromSlash(path)))
			if errors.Is(err, fs.ErrNotExist) {
				return nil // a folder of folders
			}
			if err != nil {
				return err
			}
			all = append(all, f)
			return fs.SkipDir
		})
		if err != nil {
			return nil, err
		}
		if len(all) == before {
			return nil, fmt.Errorf("%s: no case in it (no folder with a label.json)", dir)
		}
	}
	return all, nil
}

// openFolder reads the label of the case in dir and notes its files. The error is fs.ErrNotExist if dir
// has no label.
func openFolder(dir string) (Folder, error) {
	label, err := readLabel(filepath.Join(dir, "label.json"))
	if err != nil {
		return Folder{}, err
	}
	f, err := Files(dir)
	if err != nil {
		return Folder{}, err
	}
	f.Label = label
	if label.Case != "" {
		f.Name = label.Case
	}
	if len(f.Baseline) == 0 || len(f.Incident) == 0 {
		return Folder{}, fmt.Errorf("%s: a case needs a file baseline* or normal*, and a file incident*", dir)
	}
	return f, nil
}

// Files notes the files of a case in dir, by their names, without looking for its label: of any of them
// there may be none.
func Files(dir string) (Folder, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return Folder{}, err
	}
	f := Folder{Dir: dir, Name: filepath.Base(dir)}
	for _, e := range entries {
		name := e.Name()
		path := filepath.Join(dir, name)
		switch {
		case e.IsDir():
		case name == "changes.json":
			f.Changes = path
		case name == "outcomes.csv":
			f.Outcomes = path
		case strings.HasPrefix(name, "baseline"), strings.HasPrefix(name, "normal"):
			f.Baseline = append(f.Baseline, path)
		case strings.HasPrefix(name, "incident"):
			f.Incident = append(f.Incident, path)
		}
	}
	return f, nil
}

// The sources that a case's spans are read from.
const (
	sourceBaseline = "baseline"
	sourceIncident = "incident"
)

// ReadChanges reads the changes.json of a case, or any file of that form: see [timeline.ParseChanges]. Errors name the
// file.
func ReadChanges(path string) ([]timeline.Change, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	changes, err := timeline.ParseChanges(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return changes, nil
}

// Load reads the case's traces and changes.
func (f Folder) Load(ctx context.Context) (*Case, error) {
	var b tracewhy.Builder
	if err := ingest.Files(ctx, &b, sourceBaseline, ingest.Config{}, f.Baseline...); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	if err := ingest.Files(ctx, &b, sourceIncident, ingest.Config{}, f.Incident...); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	set, err := b.Build(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	var changes []timeline.Change
	if f.Changes != "" {
		if changes, err = ReadChanges(f.Changes); err != nil {
			return nil, err
		}
	}
	return &Case{
		Name: f.Name, Set: set, Baseline: set.Source(sourceBaseline), Incident: set.Source(sourceIncident),
		Label: f.Label, Changes: changes, Outcomes: f.Outcomes,
	}, nil
}
