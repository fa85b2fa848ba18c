<?php
/**
 * Start, upgrade and end of the plugin.
 *
 * @package LaurelLoyalty
 */

namespace Laurel\Loyalty;

defined( 'ABSPATH' ) || exit;

/**
 * Puts the parts together. Each part says in `start` which hooks it listens to.
 */
final class Plugin {

	const SCHEMA        = '1';
	const SCHEMA_OPTION = 'laurel_loyalty_schema';

	/**
	 * Without WooCommerce there is nothing to do, and nothing breaks.
	 */
	public static function start(): void {
		if ( ! class_exists( 'WooCommerce' ) ) {
			return;
		}
		if ( self::SCHEMA !== get_option( self::SCHEMA_OPTION ) ) {
			self::activate();
		}
		load_plugin_textdomain( 'laurel-loyalty', false, dirname( plugin_basename( FILE ) ) . '/languages' );
		Rest::start();
		Changes::start();
		Sender::start();
		Codes::start();
		Storefront::start();
		Checkout::start();
		Privacy::start();
		if ( is_admin() ) {
			Settings_Page::start();
		}
	}

	/**
	 * Orders are read and written through WooCommerce alone, and cart and checkout blocks are served.
	 */
	public static function declare_compatibility(): void {
		$features = 'Automattic\WooCommerce\Utilities\FeaturesUtil';
		if ( class_exists( $features ) ) {
			$features::declare_compatibility( 'custom_order_tables', FILE, true );
			$features::declare_compatibility( 'cart_checkout_blocks', FILE, true );
		}
	}

	/**
	 * Also after an update, which runs no activation. Safe to do again.
	 */
	public static function activate(): void {
		Outbox::make_table();
		update_option( self::SCHEMA_OPTION, self::SCHEMA );
		self::pages_changed();
	}

	/**
	 * The rewards page came or went: WooCommerce writes WordPress's rules for addresses anew with the next request.
	 */
	public static function pages_changed(): void {
		update_option( 'woocommerce_queue_flush_rewrite_rules', 'yes' );
	}

	/**
	 * What waits stays, and goes out when the plugin is back. Laurel reads orders by itself meanwhile.
	 */
	public static function deactivate(): void {
		Sender::unschedule();
		self::pages_changed(); // not here and now: in this request the page is still ours.
	}
}
