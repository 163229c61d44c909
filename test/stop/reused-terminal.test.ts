/** The terminal of a child that another library has reaped, and whose number is another process's now. */
import { join } from 'node:path'
import { it } from 'vitest'
import { compiledLibrary } from '../native/compiled.js'
import { temporaryFolder } from '../support/processes.js'
import { Terminal } from '../support/terminal.js'

const parent = join(import.meta.dirname, '../support/stop/reused-terminal-parent.mjs')
const reaping = compiledLibrary('reaping')

/** A process group that the namespace knows. */
const leading = `import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
os.setpgid(0, 0)
os.tcsetpgrp(0, os.getpid())
signal.signal(signal.SIGTTOU, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])`

// Only root may make a pid namespace, and choose the next number in it.
it.skipIf(process.getuid?.() !== 0).each([
  ['taken', 'stranger'],
  ['free', 'parent'],
])('%s in the meantime: held by the %s', async (isTaken, holder) => {
  const file = join(temporaryFolder(), 'taken')
  const command = ['python3', '-c', leading, process.execPath, parent, reaping, file, isTaken]
  const terminal = new Terminal('unshare', ['--pid', '--fork', '--mount-proc', '--kill-child', ...command])
  await terminal.shows(`held: true, same number: true, holder: ${holder}.`)
  await terminal.exit
})
