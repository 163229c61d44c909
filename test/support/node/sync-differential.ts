/** One synchronous call described as data, made through Node's functions or ours, and all that can be seen of it. */
import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { type Call, errorShape, type Observation, Opened, type Places, readReport } from './differential.js'

/** What is long is slow to compare. */
function shortened(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shortened)
  if (typeof value !== 'string' && !Buffer.isBuffer(value)) return value
  if (value.length < 200) return value
  return [value.constructor.name, value.length, createHash('sha256').update(value).digest('hex')]
}

function allShortened(shape: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(shape).map(([key, value]) => [key, shortened(value)]))
}

/** Differs from one child to the next, or refers to itself. */
function resultShape(result: object): Record<string, unknown> {
  const { error, pid, ...rest } = result as { error?: unknown; pid?: number }
  return {
    keys: Object.keys(result),
    hasPid: (pid as number) > 0,
    ...rest,
    ...('error' in result && { error: !!error }),
  }
}

/** What the error of execFileSync is, and what it has of the result. */
function thrownShape(error: unknown): Record<string, unknown> {
  const { step, ...shape } = errorShape(error)
  const keys = Object.keys(error as object).filter((key) => key !== 'step')
  const own = 'error' in shape ? { error: shape.error === error } : {}
  return { ...shape, ...own, keys, ...('pid' in shape && { pid: (shape.pid as number) > 0 }), ...(!!step && { step }) }
}

/** `function` is spawnSync or execFileSync, or ours. What it writes to this process's stderr is seen too. */
export async function observeSync(
  run: (...call: never[]) => unknown,
  call: Call,
  places: Places,
): Promise<Observation> {
  rmSync(places.report, { force: true })
  const opened = new Opened(places)
  const written: unknown[] = []
  const { write } = process.stderr
  try {
    const options: Record<string, unknown> = { ...call.options }
    if (typeof call.stdio === 'string') options.stdio = call.stdio
    if (Array.isArray(call.stdio)) {
      const entries: unknown[] = []
      for (const source of call.stdio) entries.push(await opened.source(source))
      options.stdio = entries
    }
    process.stderr.write = (text: unknown) => written.push(text) > 0
    let result: unknown
    try {
      result = (run as unknown as (...args: unknown[]) => unknown)(call.file, call.args, options)
    } catch (error) {
      return { thrown: allShortened({ ...thrownShape(error), written }), ...readReport(places.report) }
    }
    const isResult = typeof result === 'object' && result !== null && 'status' in result
    const error = isResult ? (result as { error?: unknown }).error : undefined
    return {
      ended: allShortened(isResult ? resultShape(result as object) : { output: result, written }),
      events: error === undefined ? [] : [['error', errorShape(error)]],
      ...readReport(places.report),
    }
  } finally {
    process.stderr.write = write
    await opened.close()
  }
}
