<?php
/**
 * WooCommerce → Laurel: connect, see how it goes, disconnect.
 *
 * @package LaurelLoyalty
 */

namespace Laurel\Loyalty;

use WC_Data_Store;

defined( 'ABSPATH' ) || exit;

/**
 * Shows what we know, and asks nobody while it is shown. Every act is a form of its own with a nonce of its own.
 */
final class Settings_Page {

	const PAGE = 'laurel-loyalty';
	const ACTS = array( 'connect', 'disconnect', 'check', 'again', 'show' );

	/**
	 * Hooks.
	 */
	public static function start(): void {
		add_action( 'admin_menu', array( self::class, 'menu' ), 60 );
		foreach ( self::ACTS as $act ) {
			add_action( 'admin_post_laurel_' . $act, array( self::class, $act ) );
		}
		add_filter( 'plugin_action_links_' . plugin_basename( FILE ), array( self::class, 'links' ) );
		add_action( 'load-woocommerce_page_' . self::PAGE, array( self::class, 'opened' ) );
	}

	/**
	 * The page in the menu.
	 */
	public static function menu(): void {
		add_submenu_page( 'woocommerce', __( 'Laurel loyalty', 'laurel-loyalty' ), __( 'Laurel loyalty', 'laurel-loyalty' ), 'manage_woocommerce', self::PAGE, array( self::class, 'render' ) );
	}

	/**
	 * A way to the page from the list of plugins.
	 *
	 * @param array<int|string, string> $links Those that are there.
	 * @return array<int|string, string>
	 */
	public static function links( array $links ): array {
		array_unshift( $links, '<a href="' . esc_url( self::url() ) . '">' . esc_html__( 'Settings', 'laurel-loyalty' ) . '</a>' );
		return $links;
	}

	/**
	 * Its address.
	 *
	 * @param string $done What to say there.
	 */
	private static function url( string $done = '' ): string {
		return admin_url( 'admin.php?page=' . self::PAGE . ( '' === $done ? '' : '&laurel=' . $done ) );
	}

	/**
	 * Laurel introduces itself within a minute after the merchant agreed: the page looks again by itself. Who comes back
	 * from Laurel without having agreed waits for nothing; the worst that a forged link can do is to stop that looking.
	 */
	public static function opened(): void {
		if ( 'denied' === self::done() ) {
			Connection::declined();
		}
		$facts = Connection::facts();
		if ( '' === $facts['shop_key'] && time() - $facts['expected_at'] < 5 * MINUTE_IN_SECONDS && ! headers_sent() ) {
			header( 'Refresh: 5; url=' . self::url() );
		}
	}

	// --- Acts ------------------------------------------------------------------------------------------------

	/**
	 * Name the server and go there: it sends the merchant on to the shop's own consent page, and back here.
	 */
	public static function connect(): void {
		self::require_may( 'connect' );
		// phpcs:ignore WordPress.Security.NonceVerification.Missing -- checked by require_may.
		$server = Connection::server_of( isset( $_POST['server'] ) ? sanitize_text_field( wp_unslash( $_POST['server'] ) ) : '' );
		if ( '' === $server ) {
			self::back( 'address' );
		}
		Connection::expect( $server, time() );
		$wish = array(
			'url'  => home_url(),
			'back' => self::url(),
		);
		// Another site on purpose: the one that somebody who manages this shop has just named.
		wp_redirect( $server . '/install/woocommerce?' . http_build_query( $wish ) ); // phpcs:ignore WordPress.Security.SafeRedirect.wp_redirect_wp_redirect
		exit;
	}

	/**
	 * Take the key and the webhooks away, then say goodbye: Laurel asks whether it is still let in, and is not.
	 */
	public static function disconnect(): void {
		self::require_may( 'disconnect' );
		$facts = Connection::facts();
		foreach ( array_merge( array( $facts['key_id'] ), array_keys( $facts['former_keys'] ) ) as $key_id ) {
			Connection::revoke( (int) $key_id );
		}
		if ( '' !== $facts['webhook_address'] ) {
			foreach ( WC_Data_Store::load( 'webhook' )->get_webhooks_ids() as $webhook_id ) {
				$webhook = wc_get_webhook( $webhook_id );
				if ( $webhook && $webhook->get_delivery_url() === $facts['webhook_address'] ) {
					$webhook->delete( true );
				}
			}
			Sender::post( 'laurel.disconnected', array( 'at' => time() ), uniqid( 'laurel-', true ) );
		}
		Sender::unschedule();
		Outbox::clear();
		Connection::forget();
		self::back( 'disconnected' );
	}

	/**
	 * Send a message that means nothing: it proves address, key and secret.
	 */
	public static function check(): void {
		self::require_may( 'check' );
		$problem = Connection::is_connected() ? Sender::post( 'laurel.ping', array( 'at' => time() ), uniqid( 'laurel-', true ) ) : null;
		if ( null === $problem ) {
			Outbox::again( time() );
			Sender::wake();
		}
		self::back( null === $problem ? 'well' : 'unwell' );
	}

	/**
	 * Send everything that waits, now.
	 */
	public static function again(): void {
		self::require_may( 'again' );
		Outbox::again( time() );
		Sender::wake();
		self::back( 'again' );
	}

	/**
	 * What the shop's pages show.
	 */
	public static function show(): void {
		self::require_may( 'show' );
		$wanted = array();
		foreach ( array_keys( Storefront::shown() ) as $name ) {
			// phpcs:ignore WordPress.Security.NonceVerification.Missing -- checked by require_may.
			$wanted[ $name ] = isset( $_POST[ $name ] );
		}
		update_option( Storefront::OPTION, $wanted );
		Plugin::pages_changed();
		self::back( 'saved' );
	}

	/**
	 * Or it ends here.
	 *
	 * @param string $act Which act.
	 */
	private static function require_may( string $act ): void {
		if ( ! current_user_can( 'manage_woocommerce' ) ) {
			wp_die( esc_html__( 'You may not do that.', 'laurel-loyalty' ), '', array( 'response' => 403 ) );
		}
		check_admin_referer( 'laurel_' . $act );
	}

	/**
	 * To the page, with a word about what was done.
	 *
	 * @param string $done The word.
	 * @return never
	 */
	private static function back( string $done ) {
		wp_safe_redirect( self::url( $done ) );
		exit;
	}

	// --- The page --------------------------------------------------------------------------------------------

	/**
	 * All of it.
	 */
	public static function render(): void {
		$facts = Connection::facts();
		echo '<div class="wrap"><h1>' . esc_html__( 'Laurel loyalty', 'laurel-loyalty' ) . '</h1>';
		self::notice();
		if ( '' !== $facts['shop_key'] ) {
			self::connected( $facts );
			self::outbox();
			self::shown();
		} else {
			self::unconnected( $facts );
		}
		echo '</div>';
	}

	/**
	 * What the last act brought about.
	 */
	private static function notice(): void {
		$done  = self::done();
		$texts = array(
			'denied'       => array( 'info', __( 'You did not agree, so nothing was changed.', 'laurel-loyalty' ) ),
			'address'      => array( 'error', __( 'That is no address of a server. Type it as in https://laurel.example.', 'laurel-loyalty' ) ),
			'disconnected' => array( 'success', __( 'Disconnected. Members, points and codes stay at Laurel; connect again and it goes on.', 'laurel-loyalty' ) ),
			'well'         => array( 'success', __( 'Laurel answered and knows this shop.', 'laurel-loyalty' ) ),
			'unwell'       => array( 'error', Outbox::state()['error'] ),
			'again'        => array( 'success', __( 'Everything that waits is being sent.', 'laurel-loyalty' ) ),
			'saved'        => array( 'success', __( 'Saved.', 'laurel-loyalty' ) ),
		);
		if ( isset( $texts[ $done ] ) ) {
			printf( '<div class="notice notice-%s"><p>%s</p></div>', esc_attr( $texts[ $done ][0] ), esc_html( $texts[ $done ][1] ) );
		}
	}

	/**
	 * The word about the last act, of the page's own address.
	 */
	private static function done(): string {
		// phpcs:ignore WordPress.Security.NonceVerification.Recommended -- it chooses a sentence.
		return isset( $_GET['laurel'] ) ? sanitize_key( wp_unslash( $_GET['laurel'] ) ) : '';
	}

	/**
	 * How to connect.
	 *
	 * @param array<string, mixed> $facts Of the connection.
	 */
	private static function unconnected( array $facts ): void {
		if ( $facts['expected_at'] > 0 ) {
			$waits = time() - $facts['expected_at'] < 5 * MINUTE_IN_SECONDS;
			printf(
				'<div class="notice notice-%s inline"><p>%s</p></div>',
				$waits ? 'info' : 'warning',
				esc_html(
					$waits
					/* translators: %s: an address such as https://laurel.example. */
					? sprintf( __( 'Waiting for %s. After you agreed this takes a minute at most; this page looks again by itself.', 'laurel-loyalty' ), $facts['server'] )
					/* translators: %s: an address such as https://laurel.example. */
					: sprintf( __( '%s has not introduced itself. Press Connect again; if that does not help, look at the shop’s page in Laurel, which says why.', 'laurel-loyalty' ), $facts['server'] )
				)
			);
		}
		echo '<p>' . esc_html__( 'Laurel keeps your customers’ points on a server: one you run yourself, or one you were given access to. You are asked next whether it may read orders and customers and make coupons.', 'laurel-loyalty' ) . '</p>';
		if ( 0 !== strpos( home_url(), 'https://' ) ) {
			echo '<div class="notice notice-warning inline"><p>' . esc_html__( 'This shop is not served over https. Laurel connects to such a shop only on a private network, from its command line.', 'laurel-loyalty' ) . '</p></div>';
		}
		self::form_start( 'connect' );
		echo '<table class="form-table" role="presentation"><tr><th scope="row"><label for="laurel-server">' . esc_html__( 'Address of the server', 'laurel-loyalty' ) . '</label></th>';
		printf( '<td><input id="laurel-server" name="server" type="text" inputmode="url" autocapitalize="none" spellcheck="false" class="regular-text code" dir="ltr" required placeholder="https://laurel.example" value="%s"></td></tr></table>', esc_attr( $facts['server'] ) );
		submit_button( __( 'Connect', 'laurel-loyalty' ) );
		echo '</form>';
	}

	/**
	 * How it stands.
	 *
	 * @param array<string, mixed> $facts Of the connection.
	 */
	private static function connected( array $facts ): void {
		$state = Outbox::state();
		$bad   = $state['error_at'] > $state['ok_at'];
		echo '<h2>' . esc_html__( 'Connection', 'laurel-loyalty' ) . '</h2>';
		if ( $bad ) {
			printf( '<div class="notice notice-error inline"><p><strong>%s</strong> %s</p></div>', esc_html__( 'The last message did not arrive.', 'laurel-loyalty' ), esc_html( $state['error'] ) );
		}
		if ( ! Connection::has_key() ) {
			printf( '<div class="notice notice-error inline"><p>%s</p></div>', esc_html__( 'Laurel’s REST API key was removed from this shop, so Laurel can no longer read orders or make codes. Press Connect again.', 'laurel-loyalty' ) );
		}
		echo '<table class="widefat striped" style="max-width:44rem" role="presentation">';
		self::row( __( 'Server', 'laurel-loyalty' ), $facts['server'], true );
		self::row( __( 'This shop’s key there', 'laurel-loyalty' ), $facts['shop_key'], true );
		self::row( __( 'Connected', 'laurel-loyalty' ), self::when( $facts['connected_at'] ) );
		self::row( __( 'Laurel last called here', 'laurel-loyalty' ), self::when( $facts['seen_at'] ) );
		self::row( __( 'Last message that arrived', 'laurel-loyalty' ), $state['ok_at'] ? self::when( $state['ok_at'] ) : __( 'none yet', 'laurel-loyalty' ) );
		echo '</table><p>';
		self::button( 'check', __( 'Check now', 'laurel-loyalty' ) );
		self::button( 'connect', __( 'Connect again', 'laurel-loyalty' ), array( 'server' => $facts['server'] ) );
		self::button( 'disconnect', __( 'Disconnect', 'laurel-loyalty' ), array(), __( 'Disconnect this shop? Points are no longer shown or earned here. Nothing is lost: connect again and it goes on.', 'laurel-loyalty' ) );
		echo '</p>';
	}

	/**
	 * What waits.
	 */
	private static function outbox(): void {
		$counts = Outbox::counts();
		$state  = Outbox::state();
		echo '<h2>' . esc_html__( 'Messages to Laurel', 'laurel-loyalty' ) . '</h2><p>' . esc_html__( 'Every change of an order, refund or reward coupon is written down here and sent until Laurel has it.', 'laurel-loyalty' ) . '</p><table class="widefat striped" style="max-width:44rem" role="presentation">';
		self::row( __( 'Arrived', 'laurel-loyalty' ), number_format_i18n( $state['sent'] ) );
		self::row( __( 'Waiting', 'laurel-loyalty' ), number_format_i18n( $counts['waiting'] ) . ( $counts['waiting'] ? ' (' . self::when( $counts['oldest_at'] ) . ')' : '' ) );
		self::row( __( 'Of those, tried without success', 'laurel-loyalty' ), number_format_i18n( $counts['failing'] ) );
		if ( $state['dropped'] ) {
			self::row( __( 'Given up as too old', 'laurel-loyalty' ), number_format_i18n( $state['dropped'] ) . ' – ' . __( 'Laurel reads these orders by itself.', 'laurel-loyalty' ) );
		}
		echo '</table><p>';
		if ( $counts['waiting'] ) {
			self::button( 'again', __( 'Send again now', 'laurel-loyalty' ) );
		}
		echo '</p>';
	}

	/**
	 * What the shop's pages show.
	 */
	private static function shown(): void {
		$texts = array(
			'launcher' => __( 'A button on every page that opens the shopper’s points', 'laurel-loyalty' ),
			'product'  => __( 'On a product: how many points it earns', 'laurel-loyalty' ),
			'cart'     => __( 'In cart and checkout: what the order earns, and rewards to use', 'laurel-loyalty' ),
			'thanks'   => __( 'After an order: what it earns', 'laurel-loyalty' ),
			'account'  => __( 'A page “Rewards” in the customer’s account', 'laurel-loyalty' ),
		);
		echo '<h2>' . esc_html__( 'On the shop’s pages', 'laurel-loyalty' ) . '</h2>';
		self::form_start( 'show' );
		echo '<fieldset><legend class="screen-reader-text">' . esc_html__( 'On the shop’s pages', 'laurel-loyalty' ) . '</legend>';
		foreach ( Storefront::shown() as $name => $is_on ) {
			printf( '<p><label><input type="checkbox" name="%s"%s> %s</label></p>', esc_attr( $name ), checked( $is_on, true, false ), esc_html( $texts[ $name ] ) );
		}
		/* translators: %s: [laurel]. */
		echo '<p class="description">' . esc_html( sprintf( __( 'Anywhere else: the block “Laurel rewards”, or the shortcode %s.', 'laurel-loyalty' ), '[laurel]' ) ) . '</p></fieldset>';
		submit_button( __( 'Save', 'laurel-loyalty' ) );
		echo '</form>';
	}

	/**
	 * A form of one act.
	 *
	 * @param string $act     Which.
	 * @param string $style   Of the form.
	 * @param string $confirm Asked before; empty: nothing is.
	 */
	private static function form_start( string $act, string $style = '', string $confirm = '' ): void {
		printf( '<form method="post" action="%s" style="%s"%s>', esc_url( admin_url( 'admin-post.php' ) ), esc_attr( $style ), '' === $confirm ? '' : ' onsubmit="return confirm(' . esc_attr( (string) wp_json_encode( $confirm ) ) . ')"' );
		printf( '<input type="hidden" name="action" value="%s">', esc_attr( 'laurel_' . $act ) );
		wp_nonce_field( 'laurel_' . $act );
	}

	/**
	 * An act that is one button.
	 *
	 * @param string                $act     Which.
	 * @param string                $label   On the button.
	 * @param array<string, string> $fields  Hidden ones.
	 * @param string                $confirm Asked before.
	 */
	private static function button( string $act, string $label, array $fields = array(), string $confirm = '' ): void {
		self::form_start( $act, 'display:inline-block;margin-inline-end:8px', $confirm );
		foreach ( $fields as $name => $value ) {
			printf( '<input type="hidden" name="%s" value="%s">', esc_attr( $name ), esc_attr( $value ) );
		}
		printf( '<button class="button">%s</button></form>', esc_html( $label ) );
	}

	/**
	 * One fact.
	 *
	 * @param string $label What it is.
	 * @param string $value How it is.
	 * @param bool   $code  Left to right and as it is.
	 */
	private static function row( string $label, string $value, bool $code = false ): void {
		$shown = $code ? '<code dir="ltr">' . esc_html( $value ) . '</code>' : esc_html( $value );
		echo '<tr><th scope="row">' . esc_html( $label ) . '</th><td>' . $shown . '</td></tr>'; // phpcs:ignore WordPress.Security.EscapeOutput.OutputNotEscaped -- escaped above.
	}

	/**
	 * A moment in words.
	 *
	 * @param int $at Unix time; 0: never.
	 */
	private static function when( int $at ): string {
		/* translators: %s: such as "5 minutes". */
		return $at ? sprintf( __( '%s ago', 'laurel-loyalty' ), human_time_diff( $at ) ) : __( 'never', 'laurel-loyalty' );
	}
}
