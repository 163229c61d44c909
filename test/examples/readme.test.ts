/** The programs of README, word for word, in every ending. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { limit, times } from '../support/limits.js'
import { npmProgram } from '../support/npm-program.mjs'
import { closed, ended, isAlive, temporaryFolder, until } from '../support/processes.js'
import { CTRL_C, Terminal } from '../support/terminal.js'

const root = join(import.meta.dirname, '../..')
const blocks = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```js\n([\s\S]*?)```/g)].map(
  ([, code]) => code as string,
)

/** The one block that has all of these words. */
function block(...words: string[]): string {
  const found = blocks.filter((code) => words.every((word) => code.includes(word)))
  expect(found).toHaveLength(1)
  return found[0] as string
}

const recipe = block('new ExitEvent()', "forkProtected('worker.mjs'")
const worker = block("from 'sigshield/child'", 'cleanUp()')
const supervising = block('new Supervisor(', 'handleSignals()')

/** What the snippets leave to the reader: to a file, as a terminal may be gone. */
const leftToTheReader = `
import { appendFileSync } from 'node:fs'
const log = (text) => appendFileSync(new URL('log', import.meta.url), text + '\\n')
async function work(job) {
  log('job ' + job.job)
  await new Promise((resolve) => setTimeout(resolve, 100))
  log('done')
}
async function cleanUp() {
  log('cleaned up ' + exit.reason)
}
log('up ' + process.pid)
`

class Program {
  readonly folder = temporaryFolder()

  constructor(parent: string) {
    mkdirSync(join(this.folder, 'node_modules'))
    symlinkSync(root, join(this.folder, 'node_modules/sigshield'))
    writeFileSync(join(this.folder, 'parent.mjs'), parent)
    writeFileSync(join(this.folder, 'worker.mjs'), worker.replace(/(?<=import [^\n]*\n)(?!import)/, leftToTheReader))
    writeFileSync(
      join(this.folder, 'package.json'),
      JSON.stringify({ private: true, scripts: { start: 'node parent.mjs' } }),
    )
  }

  get log(): string[] {
    const file = join(this.folder, 'log')
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  }

  get workers(): number[] {
    return this.log.flatMap((text) => (text.startsWith('up ') ? [Number(text.slice(3))] : []))
  }

  start(command: string, args: string[], detached = false): ChildProcess {
    return ended(spawn(command, args, { cwd: this.folder, stdio: 'ignore', detached }))
  }

  async logs(text: string, count = 1): Promise<void> {
    const seen = () => this.log.filter((entry) => entry.startsWith(text)).length >= count
    await until(seen, `'${text}' ${count} times`)
  }

  /** Every worker has finished its job and cleaned up. */
  async hasCleanedUp(reason: string, count = 1): Promise<void> {
    await this.logs(`cleaned up ${reason}`, count)
    await until(() => !this.workers.some(isAlive), 'no worker is left')
    const { log } = this
    expect(log.filter((text) => text.startsWith('cleaned up'))).toHaveLength(count)
    expect(log.filter((text) => text === 'done')).toHaveLength(log.filter((text) => text.startsWith('job')).length)
  }
}

describe('the recipe', () => {
  it('Ctrl-C: the worker is asked, and joined', async () => {
    const program = new Program(`${recipe}\nprocess.exitCode = code === 0 && signal === null ? 0 : 9`)
    const parent = program.start(process.execPath, ['parent.mjs'], true)
    const end = closed(parent)
    await program.logs('job')
    process.kill(-(parent.pid as number), 'SIGINT')
    expect(await end).toEqual({ code: 0, signal: null })
    await program.hasCleanedUp('requested')
  })

  it(
    'the parent is killed: the worker cleans up, every time',
    async () => {
      const COUNT = times(30)
      const AT_ONCE = 5
      let cleaned = 0
      const one = async () => {
        const program = new Program(recipe)
        const parent = program.start(process.execPath, ['parent.mjs'])
        const end = closed(parent)
        await program.logs('job')
        parent.kill('SIGKILL')
        await end
        // The channel may end a moment before the event's pipe: then there is no reason yet.
        await program.hasCleanedUp('')
        cleaned += 1
      }
      for (let i = 0; i < COUNT; i += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, one))
      expect(cleaned).toBe(COUNT)
    },
    limit(60_000),
  )

  it('the parent closes the channel', async () => {
    const program = new Program(
      recipe.replace('worker.send({ job: 1 })', 'worker.send({ job: 1 }, () => worker.disconnect())'),
    )
    const end = closed(program.start(process.execPath, ['parent.mjs']))
    expect(await end).toEqual({ code: 0, signal: null })
    await program.hasCleanedUp('undefined')
  })

  it('the event is set before the worker is up', async () => {
    const program = new Program(recipe.replace("process.on('SIGINT', () => exit.set())", 'exit.set()'))
    expect(await closed(program.start(process.execPath, ['parent.mjs']))).toEqual({ code: 0, signal: null })
    await program.hasCleanedUp('requested')
  })

  it('the worker by hand', async () => {
    const program = new Program(recipe)
    expect(await closed(program.start(process.execPath, ['worker.mjs']))).toEqual({ code: 0, signal: null })
    await program.hasCleanedUp('undefined')
  })
})

describe('the supervisor', () => {
  /** Each worker has a job in hand. */
  const busy = `${supervising}\nfor (const child of supervisor.children) child.send({ job: 1 })`
  const WORKERS = 4

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s for the whole group', async (signal) => {
    const program = new Program(busy)
    const parent = program.start(process.execPath, ['parent.mjs'], true)
    const end = closed(parent)
    await program.logs('job', WORKERS)
    process.kill(-(parent.pid as number), signal)
    expect(await end).toEqual({ code: null, signal })
    await program.hasCleanedUp('requested', WORKERS)
  })

  it('under timeout(1)', async () => {
    const program = new Program(busy)
    const timeout = program.start('timeout', ['1000', process.execPath, 'parent.mjs'])
    const end = closed(timeout)
    await program.logs('job', WORKERS)
    // As its own alarm does it.
    timeout.kill('SIGALRM')
    expect(await end).toEqual({ code: 124, signal: null })
    await program.hasCleanedUp('requested', WORKERS)
  })

  it('in a window that is closed', async () => {
    const program = new Program(busy)
    const terminal = new Terminal(process.execPath, [join(program.folder, 'parent.mjs')], program.folder)
    await program.logs('job', WORKERS)
    terminal.close()
    await terminal.exit
    await program.hasCleanedUp('requested', WORKERS)
  })

  it('whose parent is killed', async () => {
    const program = new Program(busy)
    const parent = program.start(process.execPath, ['parent.mjs'])
    const end = once(parent, 'exit')
    await program.logs('job', WORKERS)
    parent.kill('SIGKILL')
    await end
    await program.hasCleanedUp('', WORKERS)
  })

  it.each([
    ['npm', 'npm', ['start']],
    ['pnpm', process.execPath, [npmProgram('pnpm', '9', 'bin/pnpm.cjs'), 'start']],
  ])('by Ctrl-C under %s', async (_name, command, args) => {
    const program = new Program(busy)
    const terminal = new Terminal(command, args, program.folder)
    await program.logs('job', WORKERS)
    terminal.type(CTRL_C)
    await terminal.exit
    await program.hasCleanedUp('requested', WORKERS)
  })
})
