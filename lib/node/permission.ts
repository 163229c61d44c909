/** The permission model's part of Node's own process handle. */
import childProcess from 'node:child_process'

/** As it was when this was loaded: a program may put a mock in its place. */
const { spawnSync } = childProcess

/**
 * In Node's own words and with its own messages to who listens: asked for a program on a descriptor that libuv refuses before
 * it forks, as the audit mode would let it.
 */
export function checkPermission(file: string): void {
  if (process.permission) spawnSync(file, { stdio: [{ fd: -1 } as unknown as 'ignore'] })
}
