/** Names of options that look like ours and are none. Node takes any name, and so do we: the program is warned, once for each. */

/** Of `child_process`, whichever function. */
export const ofChildProcess: ReadonlySet<string> = new Set([
  'argv0',
  'cwd',
  'detached',
  'encoding',
  'env',
  'execArgv',
  'execPath',
  'gid',
  'input',
  'killSignal',
  'maxBuffer',
  'serialization',
  'shell',
  'signal',
  'silent',
  'stdio',
  'timeout',
  'uid',
  'windowsHide',
  'windowsVerbatimArguments',
])

const warned = new Set<string>()

/** Shorter names are near to too much. */
const LONG = 5

/**
 * @param ours - the names that this call takes.
 * @param others - those that it hands on.
 */
export function warnOfMisspelt(
  options: object,
  ours: ReadonlySet<string>,
  others: ReadonlySet<string> = new Set(),
): void {
  for (const name of Object.keys(options)) {
    if (ours.has(name) || others.has(name) || warned.has(name)) continue
    const meant = nearest(name, ours)
    if (meant === undefined) continue
    warned.add(name)
    process.emitWarning(`sigshield has no option '${name}': did you mean '${meant}'?`, {
      code: 'SIGSHIELD_UNKNOWN_OPTION',
    })
  }
}

/** For the end of an error message. */
export function didYouMean(name: string, ours: Iterable<string>): string {
  const meant = meantBy(name, ours)
  return meant === undefined ? '' : ` (did you mean '${meant}'?)`
}

/** Of names that are refused, so that short ones and beginnings count too; none where two are as near. */
export function meantBy(name: string, ours: Iterable<string>): string | undefined {
  const found = Array.from(ours, (own) => ({ own, far: farness(plain(name), plain(own)) }))
  const least = Math.min(...found.map(({ far }) => far))
  const [first, second] = found.filter(({ far }) => far === least)
  return least === Number.POSITIVE_INFINITY || second !== undefined ? undefined : first?.own
}

function farness(written: string, meant: string): number {
  const letters = distance(written, meant)
  if (letters === 0 || isNear(written, meant)) return letters
  if (written.length < 2 || meant.length < 2) return Number.POSITIVE_INFINITY
  if (letters === 1 && (meant.length >= LONG - 1 || written[0] === meant[0])) return letters
  return meant.startsWith(written) ? meant.length : Number.POSITIVE_INFINITY
}

function nearest(name: string, ours: Iterable<string>): string | undefined {
  return Array.from(ours).find((own) => isNear(plain(name), plain(own)))
}

function isNear(written: string, meant: string): boolean {
  if (written.length < LONG - 1 || written[0] !== meant[0]) return false
  if (meant.length >= LONG && written.startsWith(meant)) return true
  // Most of it: `process` is another's option.
  if (written.length * 3 >= meant.length * 2 && meant.startsWith(written)) return true
  return distance(written, meant) <= (meant.length > LONG ? 2 : 1)
}

/** `exit_event`, `exit-event` and `exitevent` are one name. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '')
}

/** How many letters are to be added, left out, changed or swapped (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  const at = (i: number, j: number) => rows[i]?.[j] as number
  for (let i = 1; i <= a.length; i += 1) {
    rows.push([i])
    for (let j = 1; j <= b.length; j += 1) {
      const changed = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwap = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swapped = isSwap ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY
      rows[i]?.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, changed, swapped))
    }
  }
  return at(a.length, b.length)
}
