<?php
/**
 * The plugin on a network of sites, and taken away from it: php network.php <folder of the plugin>. What each step did, as JSON.
 */

namespace {
	define( 'ABSPATH', __DIR__ . '/' );
	define( 'WP_UNINSTALL_PLUGIN', 'laurel-loyalty/laurel-loyalty.php' );

	/** Three sites; WooCommerce never ran on the third. */
	final class World {
		public static $site    = 1;
		public static $before  = array();
		public static $network = true;
		public static $options = array(
			1 => array( 'laurel_loyalty_schema' => '1' ),
			2 => array( 'laurel_loyalty_schema' => '1' ),
			3 => array(),
		);
		public static $stopped = array();
		public static $dropped = array();
	}
	/** As much of the database as uninstalling needs. */
	final class Database {
		public $options = 'wp_options';
		public function __get( $name ) {
			return 1 === World::$site ? 'wp_' : 'wp_' . World::$site . '_';
		}
		public function prepare( $query ) {
			return $query;
		}
		public function esc_like( $text ) {
			return $text;
		}
		public function get_var( $query ) {
			return null;
		}
		public function query( $query ) {
			if ( 0 === strpos( $query, 'DROP TABLE' ) ) {
				World::$dropped[] = $query;
			}
		}
	}
	$GLOBALS['wpdb'] = new Database();

	function is_multisite() {
		return World::$network;
	}
	function get_sites( $wish ) {
		return 'ids' === $wish['fields'] && 0 === $wish['number'] ? array( '1', '2', '3' ) : array();
	}
	function switch_to_blog( $site ) {
		World::$before[] = World::$site;
		World::$site     = $site;
	}
	function restore_current_blog() {
		World::$site = array_pop( World::$before );
	}
	function get_option( $name, $otherwise = false ) {
		return World::$options[ World::$site ][ $name ] ?? $otherwise;
	}
	function update_option( $name, $value ) {
		World::$options[ World::$site ][ $name ] = $value;
	}
	function delete_option( $name ) {
		unset( World::$options[ World::$site ][ $name ] );
	}
	function add_filter( $name, $what ) {
		World::$options['filters'][ $name ] = $what;
	}
}

namespace Laurel\Loyalty {

	use World;

	final class Sender {
		public static function unschedule() {
			World::$stopped[] = World::$site;
		}
	}
	final class Outbox {
		public static function table() {
			global $wpdb;
			return $wpdb->prefix . 'laurel_outbox';
		}
	}
	require $argv[1] . '/includes/class-plugin.php';

	/** Whether the site writes its addresses anew, once the plugin is gone from it. */
	function flushes(): array {
		return array_keys( array_filter( World::$options, static fn( $options ) => 'yes' === ( $options['woocommerce_queue_flush_rewrite_rules'] ?? '' ) ) );
	}

	Plugin::start(); // without WooCommerce on the network's main site.
	switch_to_blog( 2 );
	$told['deleted site'] = World::$options['filters']['wpmu_drop_tables']( array( 'wp_2_posts' ) );
	Plugin::deactivate( false );
	restore_current_blog();
	$told['one site'] = array( World::$stopped, flushes() );
	World::$stopped   = array();
	Plugin::deactivate( true );
	$told['network'] = array( World::$stopped, flushes() );
	require $argv[1] . '/uninstall.php';
	$told['uninstalled'] = array( World::$dropped, World::$site, array_column( World::$options, 'laurel_loyalty_schema' ) );
	echo json_encode( $told );
}
