import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { servedBy, stageTable } from './stage-show.ts'

export function skillShowCommand(cli: Cli): Command {
  return new Command('show')
    .description('show a skill and its stages')
    .argument('<skill>', 'name or id')
    .action(
      action(cli, async (call, name) => {
        const api = call.api()
        const skill = await api.findSkill(name)
        const { items: stages } = await api.listStages(skill.id)
        const shown = await servedBy(api, stages)
        call.show({ ...skill, stages: shown }, () =>
          [call.paint('bold', skill.name), skill.description, '', stageTable(shown)].join('\n'),
        )
      }),
    )
}
