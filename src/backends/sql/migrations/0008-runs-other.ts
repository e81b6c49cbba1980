/** Nearly every run succeeds: it is found by its skill or stage and need not be in the indexes that find the others among them. */
export const runsOther: readonly string[] = [
  `DROP INDEX runs_skill_over`,
  `DROP INDEX runs_stage_over`,
  `CREATE INDEX runs_skill_other ON runs (tenant, skill, status, id) WHERE finished_at IS NOT NULL AND status <> 'succeeded'`,
  `CREATE INDEX runs_stage_other ON runs (tenant, stage, status, id) WHERE finished_at IS NOT NULL AND status <> 'succeeded'`,
]
