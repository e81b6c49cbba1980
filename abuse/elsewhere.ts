import type { AbuseCase, AbuseWorld } from './case.ts'
import type { Part } from './report.ts'

/** Why a part of a case says nothing under another driver than bubblewrap; null where it does. */
export function elsewhere(
  { number }: Pick<AbuseCase, 'number'>,
  part: Part,
  { driver, limits }: Pick<AbuseWorld, 'driver' | 'limits'>,
): string | null {
  if (driver.name !== 'runsc') return null
  const reason = (table: Reasons): string | undefined => table[number] ?? table[`${number} ${part}`]
  return reason(UNDER_GVISOR) ?? (limits === 'soft' ? reason(WATCHED_GVISOR) : null) ?? null
}

type Reasons = Readonly<Record<number | string, string>>

/** What asks for facts of the machine's own kernel, and what the gVisor that was tried (20221219, on ptrace) is too slow for. */
const UNDER_GVISOR: Reasons = {
  1: 'gVisor starts processes so slowly that a fork bomb meets the time limit or that of memory before it is refused any',
  '3 node': 'gVisor is too slow to fill the heap in the time that the case has',
  7: 'in gVisor the owner of /dev/fd may change its mode, and devices made in the guest are the guest’s own',
  13: 'gVisor is too slow to fill a log in the time that the case has',
  15: 'gVisor does not tell of NoNewPrivs, and its first process is the host program itself',
  17: 'in gVisor the first process can be killed from within, which ends the sandbox and nothing else',
  22: 'gVisor serves the other calling conventions with its own kernel',
  24: 'gVisor has a handful of settings of its own, and none of the machine’s',
  30: 'without a network list gVisor has a network of its own that leads nowhere: all ports of it may be bound',
  32: 'gVisor schedules by itself: priorities in it say nothing to the machine',
  33: 'gVisor names descriptors in its own way',
  34: 'what gVisor tells of its kernel is not that of the machine',
  39: 'gVisor does not tell of NoNewPrivs',
  40: 'gVisor has terminals of its own',
  '41 world': 'gVisor has no namespaces that could be compared',
  42: 'devices, clocks and priorities in gVisor are the guest’s own',
  56: 'gVisor has no limit of pipe pages by user: what fills a pipe is its sandbox’s own memory, which soon ends the run',
  55: 'gVisor refuses some calls with other errors than the filter',
  '45 python': 'gVisor shows the environment and the addresses, not the memory, of a process that is closed to others',
}

/** Where a watchdog holds the limits. */
const WATCHED_GVISOR: Reasons = {
  '2 python': 'gVisor is too slow to fill the tables of pages that nobody wrote in the time that the case has',
  4: 'gVisor has memfd_create, whose memory is seen there like all other',
}
