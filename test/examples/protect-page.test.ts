/** The programs of docs/protect.md and docs/install.md. */
import { execFile, spawn } from 'node:child_process'
import { get, type IncomingMessage } from 'node:http'
import { delimiter, dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { blocks, folderWith } from '../support/examples/pages.js'
import { closed, ended, line, signalSet } from '../support/processes.js'

const run = promisify(execFile)

const [protecting = '', primary = '', worker = ''] = blocks('docs/protect.md', 'js')

/** Its own programs come first, then this Node. */
const optionsIn = (folder: string) => ({
  cwd: folder,
  env: { ...process.env, PATH: [folder, dirname(process.execPath), process.env.PATH].join(delimiter) },
})

/** Tells the signals 1 to 15 that it ignores. */
const teller = `#!/bin/sh
exec ${signalSet}
`

function ignored(said: string): number[] {
  return (said.match(/\d+/g) ?? []).map(Number).filter((signal) => signal <= 15)
}

it('all of the pages is here', () => {
  expect(blocks('docs/protect.md', 'js')).toHaveLength(3)
  expect(blocks('docs/install.md', 'js')).toHaveLength(1)
})

it('what execa and execFile start is protected, and what opts out is not', async () => {
  const program = `
    import { exec, execFile } from 'node:child_process'
    import { once } from 'node:events'
    import { text } from 'node:stream/consumers'
    import { execa } from '${import.meta.resolve('execa')}'
    const args = []
    ${protecting.replace('protect(null', 'const listing = protect(null')}
    console.log(JSON.stringify({
      isProtected: [listing, child].map((one) => protectionOf(one) !== undefined),
      ignored: [made.stdout, ...await Promise.all([listing, child].map(({ stdout }) => text(stdout)))],
    }))`
  const folder = folderWith({ 'program.mjs': program, make: teller, ls: teller, ffmpeg: teller })
  const { stdout } = await run(process.execPath, ['program.mjs'], optionsIn(folder))
  const said = JSON.parse(stdout)
  expect(said.isProtected).toEqual([false, true])
  expect(said.ignored.map(ignored)).toEqual([[2], [], [2]])
})

it.each([
  ...(blocks('docs/protect.md', 'sh')[0] ?? '')
    .trim()
    .split('\n')
    .map((command) => [command, command.includes('HUP') ? [1, 2] : [2]] as const),
  ['node app.js', []] as const,
])('%s: its children ignore %j', async (command, signals) => {
  const folder = folderWith({
    'app.js': "require('node:child_process').execFile('teller', (error, stdout) => console.log(stdout))",
    teller,
  })
  expect(ignored((await run('sh', ['-c', command], optionsIn(folder))).stdout)).toEqual(signals)
})

it('the cluster restarts its worker, and ends by Ctrl-C', async () => {
  const program = `
    import cluster from 'node:cluster'
    import { once } from 'node:events'
    import { createServer } from 'node:http'
    import { protectionOf, Supervisor } from 'sigshield'
    if (cluster.isPrimary) {
      ${primary}
      cluster.on('listening', ({ id }, { port }) => console.log('worker', id, 'on', port))
      cluster.on('exit', ({ id }, code) => console.log('worker', id, 'left with', code))
      cluster.fork()
    } else {
      let isLeaving = false
      const server = createServer((_request, response) => response.end(String(cluster.worker.id)))
      ${worker}
      server.listen(0, '127.0.0.1')
    }`
  const folder = folderWith({ 'cluster.mjs': program })
  const parent = ended(
    spawn(process.execPath, ['cluster.mjs'], { ...optionsIn(folder), stdio: ['ignore', 'pipe', 'inherit'] }),
  )
  const end = closed(parent)
  const [, port] = /^worker 1 on (\d+)$/.exec(await line(parent.stdout)) ?? []
  const answer = async () => {
    const options = { host: '127.0.0.1', port, agent: false }
    return text(await new Promise<IncomingMessage>((resolve, reject) => get(options, resolve).on('error', reject)))
  }
  expect(await answer()).toBe('1')
  parent.kill('SIGUSR2')
  expect(await line(parent.stdout)).toBe(`worker 2 on ${port}`)
  expect(await line(parent.stdout)).toBe('worker 1 left with 0')
  expect(await answer()).toBe('2')
  parent.kill('SIGINT')
  expect(await line(parent.stdout)).toBe('worker 2 left with 0')
  expect(await end).toEqual({ code: null, signal: 'SIGINT' })
})

it.each(
  (blocks('docs/install.md', 'js')[0] ?? '')
    .trim()
    .split('\n')
    .map((code) => [code, code.startsWith('import') ? 'mjs' : 'cjs'] as const),
)('%s', async (code, extension) => {
  const folder = folderWith({ [`program.${extension}`]: `${code}\nconsole.log(typeof spawnProtected)` })
  const { stdout } = await run(process.execPath, [`program.${extension}`], optionsIn(folder))
  expect(stdout).toBe('function\n')
})
