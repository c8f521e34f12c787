// A panel's firmware logic under real MicroPython: one JSON line in, one out. Arguments: the interpreter's module, the
// checkout. Each line in is a list of arguments for the function `serve` of the program that came in the first line.
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";

const [interpreter, root] = process.argv.slice(2);
const { loadMicroPython } = await import(interpreter);
const python = await loadMicroPython({ heapsize: 8 * 1024 * 1024, stdout: (text) => console.error(text) });

for (const folder of ["hardware", "hardware/firmware"]) {
  python.FS.mkdir("/" + folder);
  for (const name of fs.readdirSync(path.join(root, folder)).filter((each) => each.endsWith(".py"))) {
    python.FS.writeFile(`/${folder}/${name}`, fs.readFileSync(path.join(root, folder, name)));
  }
}
python.runPython("import sys\nsys.path.insert(0, '/')");

process.on("uncaughtException", (error) => {
  console.error(error.message);
  process.exit(1);
});

let serve = null;
for await (const line of readline.createInterface({ input: process.stdin })) {
  if (serve === null) {
    python.runPython(JSON.parse(line));
    serve = python.globals.get("serve");
    console.log("true");
  } else {
    console.log(serve(line));
  }
}
