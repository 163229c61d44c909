/** The programs of docs/recipes.md, word for word. */
import { execFile } from 'node:child_process'
import { pbkdf2Sync } from 'node:crypto'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { folderWith, root } from '../support/examples/pages.js'
import { limit } from '../support/limits.js'
import { npmProgram } from '../support/npm-program.mjs'
import { isAlive, signalSet, until } from '../support/processes.js'
import { CTRL_C, Terminal } from '../support/terminal.js'

const page = readFileSync(join(root, 'docs/recipes.md'), 'utf8')

/** The block of this language below a title, the first or another. */
function block(title: string, language: string, index = 0): string {
  const section = page.split(/^## /m).find((part) => part.startsWith(title))
  const code = section?.split(`\`\`\`${language}\n`)[index + 1]?.split('```')[0]
  expect(code).toBeDefined()
  return code as string
}

/** The signal has been dealt with: the server takes no new connection. */
async function refusesConnections(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const isRefused = await new Promise((resolve) => {
      socket.once('connect', () => resolve(false)).once('error', () => resolve(true))
    })
    socket.destroy()
    if (isRefused) return
    await new Promise((resolve) => setTimeout(resolve, 5)) // Only paces the asking.
  }
}

/** Any port will do. */
const onAnyPort = (server: string) =>
  server.replace('listen(8080)', "listen(0, '127.0.0.1', () => console.log('port ' + server.address().port + ' '))")

async function portOf(terminal: Terminal): Promise<number> {
  await until(() => /port \d+ /.test(terminal.screen), 'the port is shown')
  return Number(/port (\d+) /.exec(terminal.screen)?.[1])
}

const answerTo = (asked: ClientRequest) =>
  new Promise<IncomingMessage>((resolve, reject) => asked.once('response', resolve).once('error', reject))

it('a server: the request in hand is answered after Ctrl-C', async () => {
  const server = onAnyPort(block('A server', 'js'))
  const folder = folderWith({ 'server.mjs': `${server}server.on('request', () => console.log('request'))\n` })
  const terminal = new Terminal(process.execPath, ['server.mjs'], folder)
  const port = await portOf(terminal)
  const asked = request({ host: '127.0.0.1', port, method: 'POST', agent: false })
  asked.write('b\n')
  await terminal.shows('request')
  const answer = answerTo(asked)
  terminal.type(CTRL_C)
  await refusesConnections(port)
  asked.end('a\n')
  expect(await text(await answer)).toBe('a\nb\n')
  expect(await terminal.exit).toMatchObject({ signal: 2 })
})

describe('a server with workers', () => {
  const title = 'An HTTP server with workers'
  const server = onAnyPort(block(title, 'js'))
  const worker = block(title, 'js', 1)

  it.each([
    ['is answered', server, 200],
    [
      'is lost without protection (the control)',
      server.replace("'worker.mjs'", "'worker.mjs', { enforce: false }"),
      503,
    ],
  ])('what a worker has in hand at Ctrl-C %s', async (_what, program, status) => {
    // The job takes until the test says so.
    const slow = worker.replace(
      "import { pbkdf2Sync } from 'node:crypto'",
      `import { existsSync } from 'node:fs'
       function pbkdf2Sync(url) {
         console.log('begun')
         while (!existsSync('done')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
         return Buffer.from(url)
       }`,
    )
    expect(slow).not.toBe(worker)
    const folder = folderWith({ 'server.mjs': program, 'worker.mjs': slow })
    const terminal = new Terminal(process.execPath, ['server.mjs'], folder)
    const port = await portOf(terminal)
    const asked = request({ host: '127.0.0.1', port, path: '/job', agent: false }).end()
    const answer = answerTo(asked)
    await terminal.shows('begun')
    terminal.type(CTRL_C)
    await refusesConnections(port)
    if (status === 200) writeFileSync(join(folder, 'done'), '')
    const { statusCode } = (await answer).resume()
    expect(statusCode).toBe(status)
    expect(await terminal.exit).toMatchObject({ signal: 2 })
  })

  it('answers while workers crash, and are restarted', async () => {
    const crashing = worker.replace('=> {', "=> {\n  if (url === '/crash') process.exit(1)")
    const folder = folderWith({ 'server.mjs': server, 'worker.mjs': crashing })
    const terminal = new Terminal(process.execPath, ['server.mjs'], folder)
    const url = `http://127.0.0.1:${await portOf(terminal)}`
    const statuses = []
    for (let i = 0; i < 2; i += 1) statuses.push((await fetch(`${url}/crash`)).status)
    expect(statuses).toEqual([503, 503])
    let answered = ''
    await expect
      .poll(async () => (answered = await (await fetch(`${url}/job`)).text()), { timeout: limit(20_000) })
      .toMatch(/./)
    expect(answered).toBe(pbkdf2Sync('/job', 'salt', 100_000, 32, 'sha256').toString('hex'))
    terminal.type(CTRL_C)
    expect(await terminal.exit).toMatchObject({ signal: 2 })
  })
})

it('the primary of a cluster is the one of the example, which is run', () => {
  const example = readFileSync(join(root, 'examples/cluster.mjs'), 'utf8').replaceAll('\n  ', '\n')
  expect(example).toContain(block('A cluster', 'js'))
})

describe.each([
  { runner: 'vitest', index: 0, folder: join(root, 'node_modules'), more: '' },
  // What it takes for a machine of one processor has no workers.
  {
    runner: 'jest',
    index: 1,
    folder: dirname(dirname(dirname(npmProgram('jest', '30', 'bin/jest.js')))),
    more: ' --maxWorkers=2',
  },
])('a test runner, $runner: its worker', ({ runner, index, folder: modules, more }) => {
  const test = `const { execFileSync } = require('node:child_process')
    test('one', () => console.log('ignores [' + String(execFileSync('${signalSet}')).trim() + ']'))`

  it.each([
    ['ignores SIGINT', '', true],
    ['does not without protection (the control)', '--import sigshield/protect ', false],
  ])('%s', async (_what, leftOut, ignores) => {
    const command = block('Test runners', 'sh').split('\n')[index] as string
    expect(command).toContain(runner)
    const files = Object.fromEntries(['one', 'two'].map((name) => [`${name}.test.cjs`, test]))
    const folder = folderWith({
      'package.json': '{ "jest": { "testMatch": ["**/*.test.cjs"] } }',
      'vitest.config.mjs': `export default { test: { globals: true, include: ['*.test.cjs'] } }`,
      ...files,
    })
    symlinkSync(join(modules, runner), join(folder, 'node_modules', runner))
    const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` }
    const run = command.replace(leftOut, '') + more
    const { stdout, stderr } = await promisify(execFile)('sh', ['-c', run], { cwd: folder, env })
    const [, ignored] = /ignores \[(.*)\]/.exec(stdout + stderr) ?? []
    expect(ignored?.split(' ').includes('2')).toBe(ignores)
  })
})

it('workers in Python finish after Ctrl-C', async () => {
  const title = 'Workers in Python'
  const folder = folderWith({ 'parent.mjs': block(title, 'js'), 'worker.py': block(title, 'py') })
  const terminal = new Terminal(process.execPath, ['parent.mjs'], folder)
  await terminal.shows('working', await terminal.shows('working'))
  terminal.type(CTRL_C)
  await terminal.shows('cleaned up', await terminal.shows('cleaned up'))
  expect(await terminal.exit).toMatchObject({ exitCode: 0, signal: 0 })
})

it('a recorder is asked by SIGINT, once, and finishes its file', async () => {
  const folder = folderWith({
    'parent.mjs': `${block('ffmpeg', 'js')}console.log('pid ' + recorder.pid)\n`,
    ffmpeg: `#!/usr/bin/env python3
import signal, sys, time
asked = []
signal.signal(signal.SIGINT, lambda *_: asked.append(1))
print("recording", sys.argv[1], flush=True)
while not asked: time.sleep(0.01)
print("asked", len(asked), flush=True)
`,
  })
  const terminal = new Terminal(
    '/usr/bin/env',
    [`PATH=${folder}:${process.env.PATH}`, process.execPath, 'parent.mjs', 'a.mkv'],
    folder,
  )
  await terminal.shows('recording a.mkv')
  await until(() => /pid \d+\r/.test(terminal.screen), 'the parent has told the pid')
  const pid = Number(/pid (\d+)/.exec(terminal.screen)?.[1])
  onTestFinished(() => void (isAlive(pid) && process.kill(pid, 'SIGKILL')))
  terminal.type(CTRL_C)
  await terminal.shows('asked 1')
  await terminal.shows('the file is whole')
  expect(await terminal.exit).toMatchObject({ exitCode: 0, signal: 0 })
  expect(isAlive(pid)).toBe(false)
})
