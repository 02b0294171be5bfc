/* What wakes a stage's thread, and the clock that it waits by. A Wake outlives the instance that took it, since a notify may
 * come late; the next instance gets it, to which that is a spurious one. */
#ifndef WAKE_H
#define WAKE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

typedef struct Wake {
    sem_t semaphore;
    struct Wake *next;
} Wake;

static pthread_mutex_t wakes_lock = PTHREAD_MUTEX_INITIALIZER;
static Wake *free_wakes;

static inline Wake *take_wake(void) {
    pthread_mutex_lock(&wakes_lock);
    Wake *wake = free_wakes;
    if (wake != NULL) {
        free_wakes = wake->next;
    }
    pthread_mutex_unlock(&wakes_lock);
    if (wake == NULL && (wake = (Wake *)malloc(sizeof *wake)) != NULL) {
        sem_init(&wake->semaphore, 0, 0);
    }
    while (wake != NULL && sem_trywait(&wake->semaphore) == 0) {
        /* what woke the instance before is nothing to this one */
    }
    return wake;
}

static inline void give_wake(Wake *wake) {
    if (wake != NULL) {
        pthread_mutex_lock(&wakes_lock);
        wake->next = free_wakes;
        free_wakes = wake;
        pthread_mutex_unlock(&wakes_lock);
    }
}

/* A PlNotify. */
static inline void notify(void *wake) {
    sem_post(&((Wake *)wake)->semaphore);
}

/* The time of day that sem_timedwait takes. */
static inline struct timespec in_milliseconds(uint32_t milliseconds) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += milliseconds / 1000;
    at.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

#endif
