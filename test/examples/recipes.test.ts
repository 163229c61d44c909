/** The programs of docs/recipes.md, word for word. */
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { type ClientRequest, request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, it, onTestFinished } from 'vitest'
import { isAlive, temporaryFolder, until } from '../support/processes.js'
import { CTRL_C, Terminal } from '../support/terminal.js'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/recipes.md'), 'utf8')

/** The block of this language below a title. */
function block(title: string, language: string): string {
  const section = page.split(/^## /m).find((part) => part.startsWith(title))
  const code = section?.split(`\`\`\`${language}\n`)[1]?.split('```')[0]
  expect(code).toBeDefined()
  return code as string
}

function folderWith(files: Record<string, string>): string {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules/sigshield'))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  return folder
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

it('a server: the request in hand is answered after Ctrl-C', async () => {
  const server = block('A server', 'js').replace(
    'listen(8080)',
    "listen(0, '127.0.0.1', () => console.log('port ' + server.address().port + ' '))",
  )
  const folder = folderWith({ 'server.mjs': `${server}server.on('request', () => console.log('request'))\n` })
  const terminal = new Terminal(process.execPath, ['server.mjs'], folder)
  await terminal.shows('port ')
  await until(() => /port \d+ /.test(terminal.screen), 'the port is shown')
  const port = Number(/port (\d+) /.exec(terminal.screen)?.[1])
  const asked: ClientRequest = request({ host: '127.0.0.1', port, method: 'POST', agent: false })
  asked.write('b\n')
  await terminal.shows('request')
  const answer = new Promise<Readable>((resolve, reject) => asked.once('response', resolve).once('error', reject))
  terminal.type(CTRL_C)
  await refusesConnections(port)
  asked.end('a\n')
  expect(await text(await answer)).toBe('a\nb\n')
  expect(await terminal.exit).toMatchObject({ signal: 2 })
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
  chmodSync(join(folder, 'ffmpeg'), 0o755)
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
