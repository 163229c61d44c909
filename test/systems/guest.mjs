/** A machine in qemu with the kernel that it is given, whose only program is a command. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, cpSync, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './machine.mjs'

/** QEMU_ACCEL=kvm is fast, and can hang where this machine is a virtual one itself. */
const accel = process.env.QEMU_ACCEL || 'tcg'

/**
 * Its clock goes by the instructions that it executes: to the suite, which has limits of time, a busy host is no slow machine. It
 * takes half as long again, and the smoke set has no limits.
 */
const byInstructions = ['-accel', 'tcg', '-icount', 'shift=0,sleep=off']

/** What a guest of this architecture is started with. */
export const machines = {
  x64: {
    qemu: 'qemu-system-x86_64',
    arguments: [
      ...['-machine', 'q35'],
      // Emulated, cmpxchg16b leaves wrong flags (qemu 7.2), of which some kernels die of a double fault; all can do without it.
      ...['-cpu', accel === 'tcg' ? 'max,-cx16' : 'max', '-accel', accel],
    ],
    console: 'ttyS0',
  },
  arm64: {
    qemu: 'qemu-system-aarch64',
    arguments: ['-machine', 'virt', '-cpu', 'neoverse-n1', ...byInstructions],
    console: 'ttyAMA0',
  },
}

const init = `#!/bin/busybox sh
# What is there already stays.
/bin/busybox --install -s /bin 2>/dev/null
export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
chmod 1777 /tmp /dev/shm
ln -s /proc/self/fd /dev/fd
ip link set lo up
# As service managers have it.
ulimit -Hn 524288
echo "GUEST-UP $(uname -r) $(uname -m)"
cd /project
setsid -c sh /command < /dev/console > /dev/console 2>&1
echo "GUEST-EXIT $?"
poweroff -f
`

/** Makes a root folder what a guest starts: `busybox` is a static one of the guest's architecture. */
export function prepare(/** @type {string} */ root, /** @type {string} */ busybox) {
  for (const folder of ['bin', 'dev', 'proc', 'sys', 'root', 'tmp', 'etc', 'project']) {
    mkdirSync(join(root, folder), { recursive: true })
  }
  if (!existsSync(join(root, 'bin/busybox'))) cpSync(busybox, join(root, 'bin/busybox'))
  writeFileSync(join(root, 'init'), init, { mode: 0o755 })
  if (!existsSync(join(root, 'etc/passwd'))) {
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n')
    writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n')
  }
}

/** The folder as the archive that a kernel takes for its root. */
export function pack(/** @type {string} */ root, /** @type {string} */ archive) {
  run('sh', ['-c', 'cd "$1" && find . | cpio --quiet -o -H newc -R 0:0 > "$2"', '-', root, archive])
}

/**
 * Boots, and gives what the guest printed and how the command of its root ended; undefined where it did not end. `memory` is in
 * MB, `limit` in seconds; `variables` are in the command's environment.
 * @param {keyof typeof machines} architecture
 * @param {{ kernel: string, archive: string, memory?: number, limit?: number, variables?: Record<string, string>,
 *   tell?: (text: string) => void }} options
 */
export async function boot(architecture, { kernel, archive, memory = 2048, limit = 600, variables = {}, tell }) {
  const machine = machines[architecture]
  // The kernel gives its first program, as environment, what it does not know.
  const parameters = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  const append = [`console=${machine.console}`, 'quiet', 'panic=-1', ...parameters].join(' ')
  const nowhere = openSync('/dev/null', 'r')
  const guest = spawn(
    'timeout',
    [
      ...['-k', '5', String(limit), machine.qemu, ...machine.arguments, '-smp', '2', '-m', String(memory)],
      ...['-nic', 'none', '-no-reboot', '-nographic', '-monitor', 'none', '-serial', 'stdio'],
      ...['-kernel', kernel, '-initrd', archive, '-append', append],
    ],
    { stdio: [nowhere, 'pipe', 'pipe'] },
  )
  closeSync(nowhere)
  const end = () => guest.kill()
  process.once('exit', end)
  let output = ''
  const take = (/** @type {unknown} */ chunk) => {
    output += String(chunk).replaceAll('\r', '')
    tell?.(String(chunk))
  }
  // A character may come in two pieces.
  guest.stdout?.setEncoding('utf8')
  guest.stderr?.setEncoding('utf8')
  guest.stdout?.on('data', take)
  guest.stderr?.on('data', take)
  await once(guest, 'close')
  process.off('exit', end)
  const status = output.match(/GUEST-EXIT (\d+)/)?.[1]
  return { output, status: status === undefined ? undefined : Number(status) }
}
