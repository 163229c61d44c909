/** What a guest's suite tells on its console, line by line: test/support/systems/reporter.mjs. */

/** @typedef {{ file?: string, test?: string, state: string, duration?: number, errors: string[] }} Result */

export class Results {
  #rest = ''
  /** @type {Map<string, Result[]>} */
  #tests = new Map()
  /** @type {Map<string, string>} */
  #ends = new Map()

  /** `files` are those that must end. */
  constructor(/** @type {readonly string[]} */ files) {
    for (const file of files) this.#tests.set(file, [])
  }

  /** Takes what the console showed, in pieces of any size, and gives what a reader may want to see of it. */
  take(/** @type {string} */ text) {
    const lines = (this.#rest + text.replaceAll('\r', '')).split('\n')
    this.#rest = lines.pop() ?? ''
    return lines.map((line) => `${this.#line(line)}\n`).join('')
  }

  #line(/** @type {string} */ line) {
    const start = line.indexOf('RESULT {')
    if (start < 0) return line
    /** @type {Result} */
    let result
    try {
      result = JSON.parse(line.slice(start + 'RESULT '.length))
    } catch {
      // Something else was printed into it. The file's end is missing then, or the count.
      return line
    }
    const { file, test, state, duration = 0, errors } = result
    if (file !== undefined && test !== undefined) this.#tests.get(file)?.push(result)
    else if (file !== undefined) this.#ends.set(file, state)
    const what = [file, test].filter(Boolean).join(' > ') || 'all'
    return [`${state}  ${what}${test ? `  ${(duration / 1000).toFixed(1)} s` : ''}`, ...errors].join('\n')
  }

  /** Whether each file has ended, and none failed. */
  get passed() {
    return [...this.#tests.keys()].every((file) => ['passed', 'skipped'].includes(this.#ends.get(file) ?? ''))
  }

  /** One line a file, and one for each test that failed, or was skipped. */
  list() {
    const line = (/** @type {string} */ text) => `${text}\n`
    return [...this.#tests]
      .map(([file, tests]) => {
        const counted = ['passed', 'failed', 'skipped'].map((state) => {
          const count = tests.filter((test) => test.state === state).length
          return `${count} ${state}`
        })
        const others = tests
          .filter(({ state }) => state !== 'passed')
          .map(({ state, test }) => line(`    ${state}  ${test}`))
        return line(`  ${this.#ends.get(file) ?? 'NOT ENDED'}  ${file}: ${counted.join(', ')}`) + others.join('')
      })
      .join('')
  }
}
