// The terminal of faults-parent.mjs.
import { execFileSync } from 'node:child_process'
import { openSync } from 'node:fs'
import { processOf } from '../../process-table.mjs'

/** This process leads its session, so its group has its number. */
export const holdsTerminal = () => processOf(process.pid)?.foreground === process.pid

let terminal

/** As stty can read it. */
export function terminalMode() {
  terminal ??= openSync('/dev/tty', 'r+')
  return String(execFileSync('/bin/stty', ['-g'], { stdio: [terminal, 'pipe', 'inherit'] }))
}
