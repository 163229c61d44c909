// Preloaded: thread-local variables that every thread has on its stack, as a profiler brings them.
__thread char large[200 * 1024];
