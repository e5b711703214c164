package cluster

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/cluster/learn"
)

// A trace by hand: a shop asks its store twice, and the second answer is an error.
func shop() *tracewhy.Set {
	resource := func(name string) *tracewhy.Resource {
		return &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", name)}}
	}
	web, store := resource("shop"), resource("store")
	const us = 1000
	at := uint64(1_700_000_000_000_000_000)
	span := func(id, parent byte, r *tracewhy.Resource, name string, start, end uint64, status tracewhy.StatusCode) tracewhy.SpanData {
		s := tracewhy.SpanData{TraceID: tracewhy.TraceID{15: 1}, SpanID: tracewhy.SpanID{7: id}, Name: name, Kind: tracewhy.KindServer, Start: at + start*us, End: at + end*us, Resource: r, Status: status}
		if parent > 0 {
			s.ParentSpanID = tracewhy.SpanID{7: parent}
		}
		return s
	}
	return tracewhy.SetOf(
		span(1, 0, web, "order", 0, 255, tracewhy.StatusError),
		span(2, 1, store, "reserve", 63, 64+62, tracewhy.StatusUnset),
		span(3, 1, store, "reserve", 128+61, 128+61+64, tracewhy.StatusError),
	)
}

func TestFeatures(t *testing.T) {
	r, err := Features(context.Background(), shop().All(), FeaturesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{
		"duration": 8, "completeness": 1,
		"gap before first": 6, "gap between": 6, "gap after last": math.Log2(3),
		"count shop order": 1, "self shop order": 7 + math.Log2(129.0/128),
		"count shop order > store reserve": 2, "self shop order > store reserve": 7,
		"origin store reserve": 1,
	}
	got := map[string]float64{}
	for j, name := range r.Columns {
		if x := r.Row(0)[j]; x != 0 {
			got[name] = x
		}
	}
	if d := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-9)); d != "" {
		t.Errorf("features (-want +got):\n%s", d)
	}
	if want := []string{"00000000000000000000000000000001"}; !slices.Equal(r.Rows, want) {
		t.Errorf("rows %v", r.Rows)
	}
	if len(r.Warnings) > 0 {
		t.Error(r.Warnings)
	}
	r, err = Features(context.Background(), shop().All(), FeaturesConfig{MaxPaths: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Warnings) != 1 || r.Warnings[0].Code != WarningFeaturesPaths || r.Warnings[0].Count != 1 {
		t.Error(r.Warnings)
	}
	if slices.ContainsFunc(r.Columns, func(s string) bool { return strings.Contains(s, "count shop order > store") }) {
		t.Errorf("columns %v", r.Columns)
	}
}

func TestFeaturesOfNothing(t *testing.T) {
	if _, err := Features(context.Background(), tracewhy.Cohort{}, FeaturesConfig{}); !errors.Is(err, ErrNoTraces) {
		t.Error(err)
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Features(over, shop().All(), FeaturesConfig{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Column names are unique, whatever the paths.
func TestColumnNamesAreUnique(t *testing.T) {
	w := settlements(1, "incident", 300, 0.2, failsFX, failsBatch, failsProtocol, failsOddly)
	r, err := Features(context.Background(), w.set().All(), FeaturesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Sorted(slices.Values(r.Columns))
	if n := len(slices.Compact(names)); n != len(r.Columns) {
		t.Errorf("%d names of %d columns", n, len(r.Columns))
	}
}

// A tree over the table says what the failing traces have in common.
func TestFeaturesFeedTheBuildingBlocks(t *testing.T) {
	ctx := context.Background()
	set := settlements(5, "incident", 300, 0.1, failsBatch).set()
	r, err := Features(ctx, set.All(), FeaturesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	failed := make([]int, 0, len(r.Rows))
	all := 0
	for tr := range set.Traces() { // the order of rows
		failed = append(failed, 0)
		if tr.Root().Failed() {
			failed[len(failed)-1] = 1
			all++
		}
	}
	tree, err := learn.GrowTree(ctx, r.Matrix, failed, learn.TreeConfig{Depth: 1})
	if err != nil {
		t.Fatal(err)
	}
	rules := tree.Rules()
	if len(rules) != 2 || rules[1].Class != 1 || rules[1].N != all || rules[1].Of != all {
		t.Errorf("%d traces failed; the tree says\n%v", all, tree)
	}
}
