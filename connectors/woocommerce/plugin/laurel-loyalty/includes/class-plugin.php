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
		add_filter( 'wpmu_drop_tables', array( self::class, 'tables_of_site' ) ); // of any site: WordPress has switched to it.
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
	 *
	 * @param bool $of_network On every site of the network: WordPress calls this once, on its main site.
	 */
	public static function deactivate( $of_network = false ): void {
		if ( ! $of_network || ! is_multisite() ) {
			self::stop();
			return;
		}
		foreach ( get_sites(
			array(
				'fields' => 'ids',
				'number' => 0,
			)
		) as $site ) {
			switch_to_blog( (int) $site );
			if ( false !== get_option( self::SCHEMA_OPTION ) ) { // it never ran where there is no WooCommerce.
				self::stop();
			}
			restore_current_blog();
		}
	}

	/**
	 * On this site.
	 */
	private static function stop(): void {
		Sender::unschedule();
		self::pages_changed(); // not here and now: in this request the page is still ours.
	}

	/**
	 * A site of a network is deleted: WordPress drops the tables that it is told of.
	 *
	 * @param mixed $tables The names.
	 * @return mixed
	 */
	public static function tables_of_site( $tables ) {
		if ( is_array( $tables ) ) {
			$tables[] = Outbox::table();
		}
		return $tables;
	}
}
