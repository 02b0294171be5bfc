package main

/*
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"
)

// Batches that are taken at once.
const receive = 16

type settings struct {
	MaxKeys int   `json:"max_keys"`
	EveryMs int64 `json:"every_ms"`
}

func parseSettings(text []byte) (settings, error) {
	parsed := settings{MaxKeys: 100, EveryMs: 1000}
	if err := json.Unmarshal(text, &parsed); err != nil {
		return parsed, fmt.Errorf("read settings: %w", err)
	}
	return parsed, nil
}

// counts is the status document.
type counts struct {
	Messages uint64            `json:"messages"`
	Bytes    uint64            `json:"bytes"`
	Keys     map[string]uint64 `json:"keys"`
	Other    uint64            `json:"other"` // messages of keys beyond max_keys
}

// tally is one instance: one goroutine, woken by a channel of one place so that notify never blocks.
type tally struct {
	cookie            C.uint64_t
	settings          settings
	inputs            []*C.PlPort
	wake              chan struct{}
	ended             chan struct{}
	started           bool
	draining, closing atomic.Bool
	counts            counts
	shown             time.Time
}

func newTally(cookie C.uint64_t, settings settings) *tally {
	return &tally{
		cookie:   cookie,
		settings: settings,
		wake:     make(chan struct{}, 1),
		ended:    make(chan struct{}),
		counts:   counts{Keys: map[string]uint64{}},
	}
}

// tell lends a copy of the text to the host for the call.
func (t *tally) tell(event C.uint32_t, status C.int32_t, text string) {
	copied := C.CString(text)
	defer C.free(unsafe.Pointer(copied))
	C.go_event(t.cookie, event, status, copied, C.size_t(len(text)))
}

func (t *tally) notify() {
	select {
	case t.wake <- struct{}{}:
	default: // it is awake already, or will look again
	}
}

// run ends when the instance has drained or closes; a panic fails the instance, not the process.
func (t *tally) run() {
	defer close(t.ended)
	defer func() {
		if reason := recover(); reason != nil {
			t.tell(C.PL_EVENT_FAILED, C.PL_ERR_PANIC, fmt.Sprint(reason))
		}
	}()
	for !t.closing.Load() {
		draining := t.draining.Load() // read first: what came before it is in the ports
		idle := true
		for _, port := range t.inputs {
			if t.receive(port) {
				idle = false
			}
		}
		if time.Since(t.shown) >= time.Duration(t.settings.EveryMs)*time.Millisecond {
			t.show()
		}
		if idle && draining {
			t.show()
			t.tell(C.PL_EVENT_DRAINED, C.PL_OK, "")
			return
		}
		if idle {
			<-t.wake
		}
	}
}

// receive counts what waits at one port and tells whether there was something.
func (t *tally) receive(port *C.PlPort) bool {
	var batches [receive]*C.PlBatch
	received := C.go_recv(port, &batches[0], receive)
	for i := 0; i < int(received); i++ {
		batch := batches[i]
		for m := C.uint32_t(0); m < batch.n_msgs; m++ {
			t.count(C.pl_msg(batch, m))
		}
		C.go_done_and_release(batch)
	}
	return received > 0
}

func (t *tally) count(message *C.PlMsg) {
	t.counts.Messages++
	t.counts.Bytes += uint64(message.payload_len)
	if message.key == nil {
		return
	}
	key := unsafe.Slice((*byte)(message.key), int(message.key_len))
	if _, known := t.counts.Keys[string(key)]; known || len(t.counts.Keys) < t.settings.MaxKeys {
		t.counts.Keys[string(key)]++
	} else {
		t.counts.Other++
	}
}

func (t *tally) show() {
	t.shown = time.Now()
	if document, err := json.Marshal(t.counts); err == nil {
		C.go_status(t.cookie, (*C.char)(unsafe.Pointer(&document[0])), C.size_t(len(document)))
	}
}
