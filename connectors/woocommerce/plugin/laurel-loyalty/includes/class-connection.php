<?php
/**
 * Which Laurel this shop belongs to, and the secrets that it gave us.
 *
 * @package LaurelLoyalty
 */

namespace Laurel\Loyalty;

defined( 'ABSPATH' ) || exit;

/**
 * Nothing is accepted before somebody who manages the shop has named the server; from then on only that server, proven
 * by a key of this shop's own REST API, may hand over secrets.
 */
final class Connection {

	const OPTION  = 'laurel_loyalty';
	const SECRETS = 'laurel_loyalty_secrets';
	// Of keys. Source: class-wc-auth.php, create_keys(); the app's name is that of Laurel's consent link.
	const MADE_FOR = 'Laurel - API (';
	const KEPT_S   = HOUR_IN_SECONDS; // how long a replaced key is let in: Laurel may be in the middle of something.

	/**
	 * What is no secret. Empty texts and 0 for what is not known.
	 *
	 * @return array{server:string, expected_at:int, shop_key:string, webhook_address:string, key_id:int, former_keys:array<int, int>, connected_at:int, seen_at:int}
	 */
	public static function facts(): array {
		$nothing = array(
			'server'          => '',
			'expected_at'     => 0,
			'shop_key'        => '',
			'webhook_address' => '',
			'key_id'          => 0,
			'former_keys'     => array(), // key => since when another has taken its place.
			'connected_at'    => 0,
			'seen_at'         => 0,
		);
		$held    = get_option( self::OPTION, array() );
		return array_merge( $nothing, is_array( $held ) ? array_intersect_key( $held, $nothing ) : array() );
	}

	/**
	 * Whether Laurel has introduced itself.
	 */
	public static function is_connected(): bool {
		return '' !== self::facts()['shop_key'];
	}

	/**
	 * The secret of that name ("webhook" or "widget"); empty if there is none.
	 *
	 * @param string $name Which one.
	 */
	public static function secret( string $name ): string {
		$secrets = get_option( self::SECRETS, array() );
		return is_array( $secrets ) && isset( $secrets[ $name ] ) ? (string) $secrets[ $name ] : '';
	}

	/**
	 * The server's address as we keep it, without a slash at the end; empty for what is none.
	 *
	 * @param string $typed What somebody typed.
	 */
	public static function server_of( string $typed ): string {
		$typed = rtrim( trim( $typed ), '/' );
		if ( '' !== $typed && ! preg_match( '#^https?://#i', $typed ) ) {
			$typed = 'https://' . $typed;
		}
		$parts = wp_parse_url( $typed );
		if ( ! is_array( $parts ) || empty( $parts['host'] ) || isset( $parts['user'] ) || isset( $parts['query'] ) || isset( $parts['fragment'] ) ) {
			return '';
		}
		$path = isset( $parts['path'] ) ? $parts['path'] : '';
		if ( ! preg_match( '#^[a-z0-9.-]+$#i', $parts['host'] ) || ! preg_match( '#^(/[A-Za-z0-9._~-]+)*$#', $path ) ) {
			return '';
		}
		$port = isset( $parts['port'] ) ? ':' . $parts['port'] : '';
		return strtolower( $parts['scheme'] ) . '://' . strtolower( $parts['host'] ) . $port . $path;
	}

	/**
	 * The shop's manager names the server. Another one than before: what the old one gave is forgotten.
	 *
	 * @param string $server As `server_of` gives it.
	 * @param int    $now    Unix time.
	 */
	public static function expect( string $server, int $now ): void {
		$facts = self::facts();
		if ( $facts['server'] !== $server ) {
			self::forget();
			$facts           = self::facts();
			$facts['server'] = $server;
		}
		$facts['expected_at'] = $now;
		update_option( self::OPTION, $facts );
	}

	/**
	 * Take what Laurel tells of itself.
	 *
	 * @param array<string, mixed> $told   The body of its introduction.
	 * @param int                  $key_id The REST API key that it came with.
	 * @param int                  $now    Unix time.
	 * @return string Why not, as a code; empty when it was taken.
	 */
	public static function accept( array $told, int $key_id, int $now ): string {
		$facts = self::facts();
		if ( '' === $facts['server'] ) {
			return 'laurel_not_expected';
		}
		foreach ( array( 'server', 'shop_key', 'webhook_address', 'webhook_secret', 'widget_secret' ) as $name ) {
			if ( ! isset( $told[ $name ] ) || ! is_string( $told[ $name ] ) || strlen( $told[ $name ] ) > 500 ) {
				return 'laurel_not_understood';
			}
		}
		if ( self::server_of( $told['server'] ) !== $facts['server'] ) {
			return 'laurel_other_server';
		}
		$is_ours = 0 === strpos( $told['webhook_address'], $facts['server'] . '/webhooks/' );
		if ( ! $is_ours || ! preg_match( '/^[a-z0-9][a-z0-9_-]{0,99}$/', $told['shop_key'] ) || strlen( $told['webhook_secret'] ) < 16 || strlen( $told['widget_secret'] ) < 16 ) {
			return 'laurel_not_understood';
		}
		// Not loaded with every page: only what sends and signs asks for them.
		update_option(
			self::SECRETS,
			array(
				'webhook' => $told['webhook_secret'],
				'widget'  => $told['widget_secret'],
			),
			false
		);
		if ( '' === $facts['shop_key'] ) {
			Plugin::pages_changed();
		}
		if ( $facts['key_id'] > 0 && $facts['key_id'] !== $key_id ) {
			$facts['former_keys'][ $facts['key_id'] ] = $now;
		}
		unset( $facts['former_keys'][ $key_id ] ); // one that came back.
		$facts['connected_at']    = $facts['connected_at'] ? $facts['connected_at'] : $now;
		$facts['shop_key']        = $told['shop_key'];
		$facts['webhook_address'] = $told['webhook_address'];
		$facts['key_id']          = $key_id;
		$facts['seen_at']         = $now;
		update_option( self::OPTION, $facts );
		return '';
	}

	/**
	 * Whether the key that Laurel came with is still there. Looked up: somebody may have removed it in WooCommerce.
	 */
	public static function has_key(): bool {
		global $wpdb;
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- WooCommerce has no function that looks a key up.
		return (bool) $wpdb->get_var( $wpdb->prepare( "SELECT COUNT(*) FROM {$wpdb->prefix}woocommerce_api_keys WHERE key_id = %d", self::facts()['key_id'] ) );
	}

	/**
	 * Take a key away: whoever holds it is let in no more.
	 *
	 * @param int $key_id Of the REST API.
	 */
	public static function revoke( int $key_id ): void {
		global $wpdb;
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- WooCommerce has no function that revokes a key.
		$wpdb->delete( $wpdb->prefix . 'woocommerce_api_keys', array( 'key_id' => $key_id ), array( '%d' ) );
	}

	/**
	 * Take away the keys that newer ones replaced, once nothing of Laurel's can be under way with them. Only keys that
	 * were made for Laurel by the shop's consent page: one that somebody made by hand may serve something else as well.
	 *
	 * @param int $now Unix time.
	 */
	public static function revoke_former( int $now ): void {
		global $wpdb;
		$facts = self::facts();
		foreach ( $facts['former_keys'] as $key_id => $since ) {
			if ( $now - $since >= self::KEPT_S ) {
				// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- WooCommerce has no function that revokes a key.
				$wpdb->query( $wpdb->prepare( "DELETE FROM {$wpdb->prefix}woocommerce_api_keys WHERE key_id = %d AND description LIKE %s", $key_id, $wpdb->esc_like( self::MADE_FOR ) . '%' ) );
				unset( $facts['former_keys'][ $key_id ] );
			}
		}
		if ( self::facts() !== $facts ) {
			update_option( self::OPTION, $facts );
		}
	}

	/**
	 * The merchant did not agree: nothing is waited for any more.
	 */
	public static function declined(): void {
		$facts = self::facts();
		if ( $facts['expected_at'] > 0 ) {
			$facts['expected_at'] = 0;
			update_option( self::OPTION, $facts );
		}
	}

	/**
	 * As if there had never been a Laurel.
	 */
	public static function forget(): void {
		delete_option( self::SECRETS );
		delete_option( self::OPTION );
		Plugin::pages_changed();
	}
}
