// Words of signing in, in both languages.

export const words = {
  'signin.title': { zh: '登录', en: 'Sign in' },
  'signin.to': { zh: '登录后返回：', en: 'You will return to:' },
  'signin.name': { zh: '用户名', en: 'Name' },
  'signin.password': { zh: '口令', en: 'Password' },
  'signin.show': { zh: '显示口令', en: 'Show the password' },
  'signin.enter': { zh: '登录', en: 'Sign in' },
  'signin.entering': { zh: '正在登录…', en: 'Signing in…' },
  'signin.oidc': { zh: '通过统一身份认证登录', en: 'Sign in with the identity service' },
  'signin.or': { zh: '或', en: 'or' },
  'signin.name.missing': { zh: '请填写用户名。', en: 'Fill in your name.' },
  'signin.password.missing': { zh: '请填写口令。', en: 'Fill in your password.' },
  'signin.none': {
    zh: '尚未设置任何登录方式，请联系管理员。',
    en: 'No way to sign in is set up here; ask whoever runs the dashboard.',
  },
  'signin.in': { zh: '您已登录为 {name}。', en: 'You are signed in as {name}.' },
  'signin.continue': { zh: '继续', en: 'Continue' },
  'signin.note': { zh: '所有操作以登录人的名义记录。', en: 'Whatever you do is recorded under your name.' },
};
