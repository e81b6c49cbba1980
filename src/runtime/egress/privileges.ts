/**
 * A user and a group that nobody else has: numbers that neither Debian nor systemd hand out, beside those of the sandboxes
 * (bwrap/uids.ts), whose group is the user here and whose first user is the group.
 */
const EGRESS_USER = 60_706
const EGRESS_GROUP = 60_707

/** Of root, for good. What was loaded stays usable; sockets that are handed over need no rights. */
export function dropPrivileges(): void {
  if (process.getuid?.() !== 0) return
  process.setgroups!([])
  process.setgid!(EGRESS_GROUP)
  process.setuid!(EGRESS_USER)
}
