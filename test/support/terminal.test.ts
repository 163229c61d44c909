/** The terminal that tests use. */
import { expect, it } from 'vitest'
import { Terminal } from './terminal.js'

it('shows all that a program has printed, however late it is read', async () => {
  const terminal = new Terminal('sh', ['-c', 'seq 1 5000; echo over'])
  // Long after its end.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
  await terminal.exit
  expect(terminal.screen).toContain('\n5000\r\nover\r\n')
})
