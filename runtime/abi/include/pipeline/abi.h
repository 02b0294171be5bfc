/* The C ABI between a pipeline host and its stage plugins, version 1: everything.
 *
 *   base.h     borrowed bytes, status codes, text buffers; the rules that hold everywhere
 *   message.h  messages and batches
 *   port.h     sending and receiving batches
 *   stage.h    the life of a stage instance; filters
 *   host.h     what the host offers: logs, spans, instruments, events, status
 *   plugin.h   the exported symbol */
#ifndef PIPELINE_ABI_H
#define PIPELINE_ABI_H

#include "base.h"
#include "message.h"
#include "port.h"
#include "stage.h"
#include "host.h"
#include "plugin.h"

#endif
