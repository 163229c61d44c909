/** When a child that has ended is started again. */
import { checkInteger, checkMilliseconds, invalidArgType, isOptions, ownOptions } from '../node/errors.js'
import { warnOfMisspelt } from '../node/misspelt.js'
import type { StopOutcome } from '../stop.js'

/** When a child that has ended is started again, and how often. */
export interface RestartOptions {
  /** After every end, or after a code other than 0 or a signal. */
  readonly when: 'always' | 'on-failure'
  /** Milliseconds until the first restart; twice as long before each further one, and 10000 at the most. @default 100 */
  readonly delay?: number | undefined
  /** How many restarts in a row, none of which ran for 10 seconds, until the supervisor gives up. @default 10 */
  readonly limit?: number | undefined
}

/** Whether a child that has ended, and was not stopped, is started again. */
export type Restart = RestartOptions['when'] | RestartOptions | false

const LONGEST_DELAY_MS = 10_000
const HEALTHY_MS = 10_000

const restartOptions: ReadonlySet<string> = new Set<keyof RestartOptions>(['when', 'delay', 'limit'])

/** What becomes of one place for a child, through all the children that hold it. */
export class RestartPolicy {
  readonly #when: RestartOptions['when'] | undefined
  readonly #delay: number
  readonly #limit: number
  #inARow = 0

  /** @throws TypeError, RangeError in Node's shapes. */
  constructor(restart: unknown) {
    const options = isOptions(restart) ? (ownOptions('options.restart', restart) as RestartOptions) : undefined
    if (options) warnOfMisspelt(options, restartOptions)
    const when = options ? options.when : (restart ?? false)
    if (options && when !== 'always' && when !== 'on-failure') {
      throw invalidArgType('options.restart.when', "'always' or 'on-failure'", when)
    }
    if (restart === null || (when !== false && when !== 'always' && when !== 'on-failure')) {
      throw invalidArgType(
        'options.restart',
        "'always', 'on-failure', false or an object with one of them as 'when'",
        restart,
      )
    }
    this.#when = when || undefined
    this.#delay = checkMilliseconds('options.restart.delay', options?.delay ?? 100)
    this.#limit = checkInteger('options.restart.limit', options?.limit ?? 10, 0, Number.MAX_SAFE_INTEGER)
  }

  /** Milliseconds until the next; 'never', or 'given-up' where there were too many in a row. */
  next({ code }: StopOutcome, livedMs: number): number | 'never' | 'given-up' {
    if (this.#when === undefined || (this.#when === 'on-failure' && code === 0)) return 'never'
    if (livedMs >= HEALTHY_MS) this.#inARow = 0
    if (this.#inARow >= this.#limit) return 'given-up'
    this.#inARow += 1
    return Math.min(this.#delay * 2 ** (this.#inARow - 1), LONGEST_DELAY_MS)
  }
}
