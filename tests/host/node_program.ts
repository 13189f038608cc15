/** Entry for Node: prints the measurements as one line of JSON. */
import { measure } from "./scenarios.ts";

console.log(JSON.stringify(await measure()));
