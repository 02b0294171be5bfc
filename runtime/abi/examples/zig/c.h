// What ticker.zig sees of C; `zig translate-c` turns it into c.zig.
#include <pipeline/abi.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <time.h>
