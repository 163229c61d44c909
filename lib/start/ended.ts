/** What is known of a process that has ended. */

/** How a process ended. Both are null when something else in this process has reaped it. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** What a child has used of the machine when it has exited (getrusage(2)). */
export interface ResourceUsage {
  /** Microseconds. */
  readonly userCPUTime: number
  /** Microseconds. */
  readonly systemCPUTime: number
  /**
   * Bytes: the most that it held in memory. Undefined when that is not known: the kernel counts what its parent held when the
   * child was started as the child's own, so only more than the parent has ever held tells of the child.
   */
  readonly maxRSS: number | undefined
}
