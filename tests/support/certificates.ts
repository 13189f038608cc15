/**
 * Certificates for tests, made by openssl when they are first needed: an authority, certificates
 * that it signed, and one that it did not sign.
 */

/** A certificate and its key, in PEM. */
export interface Identity {
  cert: string;
  key: string;
}

/** What the tests of TLS need. */
export interface Certificates {
  /** The authority that signed `localhost`, `other` and `client`. */
  ca: string;
  /** For "localhost" and 127.0.0.1. */
  localhost: Identity;
  /** For "other.test". */
  other: Identity;
  client: Identity;
  /** Signed by itself. */
  stranger: Identity;
}

const script = `
set -e
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
make() { # name, subject alternative names, further options
  name=$1; names=$2; shift 2
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3 \\
    -subj "/CN=$name" -addext "$names" "$@" -keyout $name.key -out $name.pem 2>/dev/null
}
signed="-CA ca.pem -CAkey ca.key -addext basicConstraints=critical,CA:FALSE"
make ca subjectAltName=DNS:ca.test
make localhost subjectAltName=DNS:localhost,IP:127.0.0.1 $signed
make other subjectAltName=DNS:other.test $signed
make client subjectAltName=DNS:client.test $signed
make stranger subjectAltName=DNS:localhost
cat ca.pem
for name in localhost other client stranger; do echo "#"; cat $name.pem; echo "#"; cat $name.key; done
`;

let made: Certificates | undefined;

/** The certificates of this process. */
export function certificates(): Certificates {
  if (made !== undefined) return made;
  const { success, stdout } = new Deno.Command("bash", { args: ["-c", script] }).outputSync();
  if (!success) throw new Error("openssl made no certificates");
  const texts = new TextDecoder().decode(stdout).split("#\n");
  const identity = (at: number): Identity => ({ cert: texts[at], key: texts[at + 1] });
  made = {
    ca: texts[0],
    localhost: identity(1),
    other: identity(3),
    client: identity(5),
    stranger: identity(7),
  };
  return made;
}
