<?php
/**
 * Notices what changes: orders, their refunds, and our own coupons.
 *
 * @package LaurelLoyalty
 */

namespace Laurel\Loyalty;

use WC_Order;

defined( 'ABSPATH' ) || exit;

/**
 * WooCommerce's webhooks say nothing of a deleted refund or an order deleted for good, are tried once, and switch
 * themselves off. Everything here ends in one row of the outbox, before anything else can go wrong.
 */
final class Changes {

	const TAG = '_laurel_tag'; // on coupons that Laurel made.

	/**
	 * Hooks.
	 */
	public static function start(): void {
		foreach ( array( 'order_refunded', 'trash_order', 'untrash_order', 'before_delete_order', 'delete_order' ) as $name ) {
			add_action( 'woocommerce_' . $name, array( self::class, 'order' ) );
		}
		// Not `woocommerce_update_order`: it is not told when an order comes back from the trash by its status.
		// Source: OrdersTableDataStore.php, update(); seen on 10.9.1.
		add_action( 'woocommerce_after_order_object_save', array( self::class, 'saved' ) );
		add_filter( 'woocommerce_pre_delete_order_refund', array( self::class, 'refund_goes' ), 10, 2 );
		add_action( 'woocommerce_refund_deleted', array( self::class, 'refund_went' ), 10, 2 );
		add_action( 'woocommerce_update_coupon', array( self::class, 'coupon' ) );
		// By whatever way a post comes or goes: older order storage, bulk actions, WP-CLI.
		foreach ( array( 'trashed_post', 'untrashed_post', 'before_delete_post' ) as $name ) {
			add_action( $name, array( self::class, 'post' ) );
		}
	}

	/**
	 * An order is new, other than it was, or gone.
	 *
	 * @param mixed $order_id Its id.
	 */
	public static function order( $order_id ): void {
		self::mark( 'order', (int) $order_id );
	}

	/**
	 * An order was saved. What lies in a cart that somebody is still filling is no order yet.
	 *
	 * @param mixed $order The order.
	 */
	public static function saved( $order ): void {
		if ( $order instanceof WC_Order && ! in_array( $order->get_status(), Messages::DRAFTS, true ) ) {
			self::order( $order->get_id() );
		}
	}

	/**
	 * A refund is about to be deleted; afterwards nobody could say whose it was.
	 *
	 * @param mixed  $decided What another plugin decided; handed on as it is.
	 * @param object $refund  The refund.
	 * @return mixed
	 */
	public static function refund_goes( $decided, $refund ) {
		if ( is_callable( array( $refund, 'get_parent_id' ) ) ) {
			self::order( $refund->get_parent_id() );
		}
		return $decided;
	}

	/**
	 * A refund was deleted in the admin.
	 *
	 * @param mixed $refund_id Its id.
	 * @param mixed $order_id  Whose it was.
	 */
	public static function refund_went( $refund_id, $order_id ): void {
		self::order( $order_id );
	}

	/**
	 * A coupon is other than it was.
	 *
	 * @param mixed $coupon_id Its id.
	 */
	public static function coupon( $coupon_id ): void {
		if ( '' !== (string) get_post_meta( (int) $coupon_id, self::TAG, true ) ) {
			self::mark( 'coupon', (int) $coupon_id );
		}
	}

	/**
	 * A post goes to the trash, comes back from it, or is deleted.
	 *
	 * @param mixed $post_id Its id.
	 */
	public static function post( $post_id ): void {
		$type = get_post_type( (int) $post_id );
		if ( 'shop_order' === $type ) {
			self::order( $post_id );
		} elseif ( 'shop_order_refund' === $type ) {
			self::order( wp_get_post_parent_id( (int) $post_id ) );
		} elseif ( 'shop_coupon' === $type ) {
			self::coupon( $post_id );
		}
	}

	/**
	 * One row, and somebody to send it.
	 *
	 * @param string $kind "order" or "coupon".
	 * @param int    $ref  Its id.
	 */
	private static function mark( string $kind, int $ref ): void {
		if ( $ref > 0 && Connection::is_connected() ) {
			Outbox::mark( $kind, $ref, time() );
			Sender::wake();
		}
	}
}
