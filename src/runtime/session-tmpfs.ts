/** What a session may keep in /tmp and in /dev/shm, as shares of its memory limit. Cgroups count it against that limit; a watchdog does not see it. */
export const SESSION_TMPFS = { tmp: 1 / 2, shm: 1 / 4 }
