/**
 * The process in which files are parsed: stdin has `[{ path, text }]`, stdout gets `Declaration[][]`. Grammars are C, and they work on
 * what strangers wrote: a crash or an endless parse ends this process, not the bot.
 */
import { text } from "node:stream/consumers";
import { declarationsOf } from "./declarations.ts";

const files = JSON.parse(await text(process.stdin)) as readonly { readonly path: string; readonly text: string }[];
process.stdout.write(JSON.stringify(files.map((file) => declarationsOf(file.path, file.text))));
