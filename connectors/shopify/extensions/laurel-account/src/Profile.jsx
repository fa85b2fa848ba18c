/** On the customer's profile: the balance, the nearest rewards, open codes, and the way to the page with all of it. */

import '@shopify/ui-extensions/preact';
import {render} from 'preact';

import {Panel} from '../../shared/panel.jsx';

export default () => {
  render(<Profile />, document.body);
};

function Profile() {
  const all = <s-link href="extension:laurel-account-page/">{shopify.i18n.translate('see_all')}</s-link>;
  return (
    <s-section heading={shopify.i18n.translate('title')}>
      <Panel shopify={shopify} most={3} below={all} />
    </s-section>
  );
}
