// After the event: the record of one incident to take away, and over all how departments did against their deadlines.
import type { JSX } from 'preact';
import { PageTitle } from '../../components';
import { t } from '../../i18n';
import { route } from '../../router';
import { Chooser } from './Chooser';
import { Overall } from './Overall';
import { Record } from './Record';
import './afteraction.css';

export default function AfterAction(): JSX.Element {
  const { query } = route.value;
  const id = query.get('id');
  return (
    <>
      <PageTitle text={t('afteraction.title')} />
      {id ? <Record key={id} id={id} /> : <Chooser />}
      <Overall query={query} />
    </>
  );
}
