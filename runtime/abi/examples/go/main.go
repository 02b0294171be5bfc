// tally is a stage plugin in Go: a sink that counts messages by key and shows the counts in the stage's status document.
//
// This file is the boundary: what the host calls, through shim.c. No panic may leave a function here, and none blocks but
// goClose. tally.go is the stage.
package main

/*
#cgo CFLAGS: -std=c11 -I${SRCDIR}/../../include
#include "shim.h"
*/
import "C"

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"
	"unsafe"
)

const describe = `{"name":"tally","version":"1.0.0","stages":[{"kind":"tally","role":"sink",
"doc":"Counts messages by key and shows the counts in its status document.","inputs":{"min":1,"max":null},
"config_schema":{"type":"object","additionalProperties":false,"properties":{
"max_keys":{"type":"integer","minimum":1,"maximum":10000,"default":100,"description":"Keys that are counted one by one."},
"every_ms":{"type":"integer","minimum":100,"default":1000,"description":"Time between two status documents."}}}}]}`

// The text that describe answers with lives as long as the process, so it is C memory.
var describeText = C.CString(describe)

// Instances by cookie.
var instances sync.Map

// contain turns a panic into a status, since none may unwind into C.
func contain(status *C.int32_t) {
	if recover() != nil {
		*status = C.PL_ERR_PANIC
	}
}

func bytesOf(text C.PlStr) []byte {
	return unsafe.Slice((*byte)(text.ptr), int(text.len))
}

func setText(out *C.PlText, text string) {
	if out == nil {
		return
	}
	copy(unsafe.Slice((*byte)(out.ptr), int(out.cap)), text)
	out.len = C.size_t(len(text))
}

//export goDescribe
func goDescribe(out *C.PlStr) C.int32_t {
	*out = C.pl_str(describeText)
	return C.PL_OK
}

// finding is what validate answers with; an empty pointer means the settings as a whole.
type finding struct {
	Pointer string `json:"pointer"`
	Message string `json:"message"`
}

//export goValidate
func goValidate(config C.PlStr, findings *C.PlText) (status C.int32_t) {
	defer contain(&status)
	if _, err := parseSettings(bytesOf(config)); err != nil {
		answer, _ := json.Marshal([]finding{{Message: err.Error()}})
		setText(findings, string(answer))
		return C.PL_ERR_INVALID
	}
	return C.PL_OK
}

//export goOpen
func goOpen(open *C.PlOpen, out **C.PlStage, failure *C.PlText) (status C.int32_t) {
	defer contain(&status)
	settings, err := parseSettings(bytesOf(open.config_json))
	if err != nil || open.n_inputs == 0 {
		setText(failure, fmt.Sprintf("expected at least one input and settings that can be read (%v)", err))
		return C.PL_ERR_INVALID
	}
	stage := C.go_stage_new(open.cookie)
	if stage == nil {
		setText(failure, "out of memory")
		return C.PL_ERR
	}
	tally := newTally(open.cookie, settings)
	for i := C.uint32_t(0); i < open.n_inputs; i++ {
		tally.inputs = append(tally.inputs, C.go_input(open, i))
	}
	instances.Store(open.cookie, tally)
	for _, port := range tally.inputs {
		C.go_port_bind(port, open.cookie)
	}
	*out = &stage.stage
	tally.tell(C.PL_EVENT_OPENED, C.PL_OK, "")
	return C.PL_OK
}

func instance(cookie C.uint64_t) *tally {
	found, _ := instances.Load(cookie)
	known, _ := found.(*tally)
	return known
}

//export goStart
func goStart(cookie C.uint64_t) (status C.int32_t) {
	defer contain(&status)
	self := instance(cookie)
	self.started = true
	go self.run()
	return C.PL_OK
}

//export goDrain
func goDrain(cookie C.uint64_t) (status C.int32_t) {
	defer contain(&status)
	self := instance(cookie)
	self.draining.Store(true)
	self.notify()
	return C.PL_OK
}

//export goClose
func goClose(cookie C.uint64_t, timeoutMs C.uint32_t) (status C.int32_t) {
	defer contain(&status)
	self := instance(cookie)
	self.closing.Store(true)
	self.notify()
	if self.started {
		select {
		case <-self.ended:
		case <-time.After(time.Duration(timeoutMs) * time.Millisecond):
			return C.PL_ERR_TIMEOUT
		}
	}
	instances.Delete(cookie)
	return C.PL_OK
}

//export goNotify
func goNotify(cookie C.uint64_t) {
	if self := instance(cookie); self != nil {
		self.notify()
	}
}

// A c-shared library needs it; nobody calls it.
func main() {}
