import { describe, expect, it } from 'vitest';
import { isDirect, proxyOf } from './proxy-url.ts';

describe('the URL of a proxy', () => {
  it('has a kind, a place and perhaps a log-in that is not shown', () => {
    expect(proxyOf('http://proxy:3128')).toEqual({ kind: 'http', host: 'proxy', port: 3128, shown: 'http://proxy:3128' });
    expect(proxyOf('socks5h://me:p%40ss@[::1]')).toEqual({ kind: 'socks5h', host: '::1', port: 1080, user: 'me', password: 'p@ss', shown: 'socks5h://[::1]:1080' });
    expect([proxyOf('https://proxy').port, proxyOf('http://proxy').port]).toEqual([443, 80]);
  });
  it.each(['proxy:3128', 'ftp://proxy', 'socks4://proxy', 'http://', '', `http://${'a'.repeat(256)}:b@proxy`])('is not %j', (text) => {
    expect(() => proxyOf(text)).toThrow(expect.objectContaining({ code: 'proxy-invalid' }));
  });
});

describe('what is reached without the proxy', () => {
  it('is a host by its name, what lies below a domain, or everything', () => {
    expect(['s3.example.com', 'S3.Example.com'].map((host) => isDirect(host, ['.example.com']))).toEqual([true, true]);
    expect(['example.com', 'badexample.com', 's3.example.com.evil'].map((host) => isDirect(host, ['.example.com']))).toEqual([false, false, false]);
    expect([isDirect('10.0.0.1', ['10.0.0.1']), isDirect('10.0.0.11', ['10.0.0.1']), isDirect('x', ['*']), isDirect('x', [])]).toEqual([true, false, true, false]);
  });
});
