/**
 * Our ids as other dialects write them: another prefix before the same characters. What is no such id is left as it is, so that names
 * and aliases go through.
 */
export const skillId = (id: string): string => id.replace(/^skl_/, 'skill_')
export const ownSkillId = (id: string): string => id.replace(/^skill_/, 'skl_')

export const versionId = (id: string, prefix: 'skver_' | 'skillver_'): string => id.replace(/^ver_/, prefix)
export const ownVersionId = (id: string): string => id.replace(/^sk(?:ill)?ver_/, 'ver_')
