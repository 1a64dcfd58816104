import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** RFC 6109 4.5.1 to 4.5.9, in the words of slapd.conf. */
const SCHEMA = `
attributetype ( 1.3.6.1.4.1.16572.2.2.1 NAME 'providerCertificateHash' EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
attributetype ( 1.3.6.1.4.1.16572.2.2.2 NAME 'providerCertificate' SYNTAX 1.3.6.1.4.1.1466.115.121.1.8 )
attributetype ( 1.3.6.1.4.1.16572.2.2.3 NAME 'providerName' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.16572.2.2.4 NAME 'mailReceipt' EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.16572.2.2.5 NAME 'managedDomains' EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
attributetype ( 1.3.6.1.4.1.16572.2.2.6 NAME 'LDIFLocationURL' EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.16572.2.2.7 NAME 'providerUnit' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.16572.2.1.1 NAME 'LDIFLocationURLObject' SUP top AUXILIARY MAY ( LDIFLocationURL ) )
objectclass ( 1.3.6.1.4.1.16572.2.1.2 NAME 'provider' SUP top STRUCTURAL MUST ( providerCertificateHash $ providerCertificate $ providerName $ mailReceipt $ managedDomains ) MAY ( description $ LDIFLocationURL $ providerUnit ) )
`;

/** Milliseconds: generous, since the machine may be busy. */
const START = 60_000;

export interface SlapdRequest {
  readonly ldapPort: number;
  readonly ldapsPort: number;
  /** PEM files. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
}

/** The real slapd with the schema of the norm, its base `o=postacert`. */
export class TestSlapd {
  readonly #folder = mkdtempSync(join(tmpdir(), 'ceralacca-slapd-'));
  readonly #request: SlapdRequest;
  #child: ChildProcess | undefined;

  constructor(request: SlapdRequest) {
    this.#request = request;
    const { tls } = request;
    mkdirSync(join(this.#folder, 'db'));
    writeFileSync(join(this.#folder, 'pec.schema'), SCHEMA);
    writeFileSync(
      this.#config,
      [
        'include /etc/ldap/schema/core.schema',
        `include ${join(this.#folder, 'pec.schema')}`,
        'modulepath /usr/lib/ldap',
        'moduleload back_mdb',
        `pidfile ${join(this.#folder, 'slapd.pid')}`,
        `TLSCACertificateFile ${tls.ca}`,
        `TLSCertificateFile ${tls.cert}`,
        `TLSCertificateKeyFile ${tls.key}`,
        'database mdb',
        'suffix "o=postacert"',
        `directory ${join(this.#folder, 'db')}`,
        'maxsize 67108864',
        '',
      ].join('\n'),
    );
  }

  get #config(): string {
    return join(this.#folder, 'slapd.conf');
  }

  /** Puts entries in while it does not run. */
  fill(ldif: string): void {
    const { status, stderr } = spawnSync('slapadd', ['-f', this.#config], { input: ldif, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  }

  async start(): Promise<void> {
    const { ldapPort, ldapsPort } = this.#request;
    const addresses = `ldap://127.0.0.1:${ldapPort} ldaps://127.0.0.1:${ldapsPort}`;
    this.#child = spawn('slapd', ['-f', this.#config, '-h', addresses, '-d', '0'], { stdio: 'ignore' });
    for (let waited = 0; !(await answers(ldapPort)); waited += 50) {
      assert.ok(waited < START && this.#child.exitCode === null, 'slapd does not answer');
      await sleep(50);
    }
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child !== undefined && child.exitCode === null) {
      const gone = once(child, 'exit');
      child.kill();
      await gone;
    }
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
