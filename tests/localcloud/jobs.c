#include "jobs.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "util.h"

struct job {
    int64_t due_ms;
    void (*work)(void *arg);
    void (*drop)(void *arg);
    void *arg;
    struct job *next;
};

struct jobs {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job *first; // ordered by due time
    bool stopping;
    unsigned workers;
    pthread_t threads[];
};

static void wait_until(struct jobs *jobs, int64_t due_ms)
{
    struct timespec when = {.tv_sec = due_ms / 1000, .tv_nsec = due_ms % 1000 * 1000000};

    pthread_cond_timedwait(&jobs->changed, &jobs->lock, &when);
}

static struct job *take_due(struct jobs *jobs) // NULL = stop
{
    while (!jobs->stopping) {
        struct job *job = jobs->first;
        if (!job) {
            pthread_cond_wait(&jobs->changed, &jobs->lock);
        } else if (job->due_ms > now_ms()) {
            wait_until(jobs, job->due_ms);
        } else {
            jobs->first = job->next;
            return job;
        }
    }
    return NULL;
}

static void *worker(void *arg)
{
    struct jobs *jobs = arg;

    pthread_mutex_lock(&jobs->lock);
    for (struct job *job; (job = take_due(jobs));) {
        pthread_mutex_unlock(&jobs->lock);
        job->work(job->arg);
        free(job);
        pthread_mutex_lock(&jobs->lock);
    }
    pthread_mutex_unlock(&jobs->lock);
    return NULL;
}

struct jobs *jobs_start(unsigned workers)
{
    struct jobs *jobs = zalloc(sizeof *jobs + workers * sizeof(pthread_t));
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&jobs->changed, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&jobs->lock, NULL);
    jobs->workers = workers;
    for (unsigned i = 0; i < workers; i++)
        if (pthread_create(&jobs->threads[i], NULL, worker, jobs) != 0)
            abort();
    return jobs;
}

void jobs_add(struct jobs *jobs, int64_t delay_ms, void (*work)(void *arg), void (*drop)(void *arg),
              void *arg)
{
    struct job *job = zalloc(sizeof *job);

    *job = (struct job){.due_ms = now_ms() + delay_ms, .work = work, .drop = drop, .arg = arg};
    pthread_mutex_lock(&jobs->lock);
    struct job **place = &jobs->first;
    while (*place && (*place)->due_ms <= job->due_ms)
        place = &(*place)->next;
    job->next = *place;
    *place = job;
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
}

void jobs_stop(struct jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    jobs->stopping = true;
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
    for (unsigned i = 0; i < jobs->workers; i++)
        pthread_join(jobs->threads[i], NULL);
    for (struct job *job = jobs->first, *next; job; job = next) {
        next = job->next;
        job->drop(job->arg);
        free(job);
    }
    pthread_cond_destroy(&jobs->changed);
    pthread_mutex_destroy(&jobs->lock);
    free(jobs);
}
