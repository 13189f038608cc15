/** The worker of the `workerpool` side. */
import { add } from "./handlers.ts";

const load = (name: string) => import(name); // installed next to the bundle, not in this repository
const { default: workerpool } = await load("workerpool");
workerpool.worker({ add });
