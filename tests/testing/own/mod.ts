/** Everything of our own that is explored. */
import { channelScenarios } from "./channel_scenarios.ts";
import { everydayScenarios } from "./everyday_scenarios.ts";
import { interopScenarios } from "./interop_scenarios.ts";
import { networkScenarios } from "./network_scenarios.ts";
import { poolScenarios } from "./pool_scenarios.ts";
import { resourceScenarios } from "./resource_scenarios.ts";
import type { Scenario } from "./scenario.ts";
import { streamScenarios } from "./stream_scenarios.ts";
import { syncScenarios } from "./sync_scenarios.ts";
import { taskScenarios } from "./task_scenarios.ts";

export type { Scenario } from "./scenario.ts";
export const scenarios: readonly Scenario[] = [
  ...[...syncScenarios, ...resourceScenarios, ...channelScenarios, ...taskScenarios],
  ...[
    ...everydayScenarios,
    ...interopScenarios,
    ...streamScenarios,
    ...networkScenarios,
    ...poolScenarios,
  ],
];
